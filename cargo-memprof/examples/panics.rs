//! Takes the terminal as `cargo memprof top` does, and panics: the terminal must be as it was before the
//! message is printed. Its tests run it.

#[path = "../src/top/screen.rs"]
mod screen;

fn main() -> std::io::Result<()> {
    let mut screen = screen::Screen::take()?;
    screen.draw(|frame| frame.render_widget("the screen is taken", frame.area()))?;
    std::thread::sleep(std::time::Duration::from_secs(1));
    panic!("the message of the panic");
}
