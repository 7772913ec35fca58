//! Functions whose paths are anything but simple: generics, traits, closures, raw identifiers, other
//! alphabets.

use std::fmt::Debug;

use memprof::profile_memory;

fn main() {
    Wrapper(5_u8).show();
    Wrapper("text").show();
    <Wrapper<Vec<u8>> as Show>::shown(&Wrapper(vec![1]));
    let closure = || {
        #[profile_memory]
        fn inside_a_closure() -> u32 {
            3
        }
        inside_a_closure()
    };
    assert_eq!(closure(), 3);
    r#match();
    größe();
    hostile();
    memprof::block!("a block with spaces; and <signs>", {
        std::hint::black_box(());
    });
}

#[derive(Debug)]
struct Wrapper<T>(T);

trait Show {
    fn shown(&self) -> String;
}

impl<T: Debug> Show for Wrapper<T> {
    #[profile_memory]
    fn shown(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl<T: Debug> Wrapper<T> {
    #[profile_memory]
    fn show(&self) {
        assert!(!self.shown().is_empty());
    }
}

#[profile_memory]
fn r#match() {}

#[profile_memory(name = "Größe & <b>")]
fn größe() {}

#[profile_memory(name = "<script>alert(1)</script> \"quoted\" ]]> ../../etc")]
fn hostile() {
    let source = "</script><script>alert(2)</script>";
    std::hint::black_box(source);
}
