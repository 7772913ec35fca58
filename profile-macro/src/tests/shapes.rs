//! Where probes go, shape by shape.

use expect_test::expect;

use super::shows;

#[test]
fn statements_and_the_end_of_scope() {
    shows(
        "
fn f() -> usize {
    let a = vec![1];
    println!(\"{a:?}\"); drop(1);
    a.len()
}",
        expect![[r#"
            fn f() -> usize {
                __memprof.line(0);
                let a = vec![1];
                __memprof.line(1);
                println!("{a:?}");
                drop(1);
                let __memprof_end = __memprof.end(3);
                __memprof.line(2);
                a.len()
            }
            // lines [2, 3, 4, 5]
        "#]],
    );
}

#[test]
fn a_function_on_one_line() {
    shows(
        "fn f(x: u32) -> u32 { if x > 1 { x } else { 1 } }",
        expect![[r#"
        fn f(x: u32) -> u32 {
            __memprof.line(0);
            if x > 1 { x } else { 1 }
        }
        // lines [1]
    "#]],
    );
}

#[test]
fn an_empty_function() {
    shows(
        "fn f() {}",
        expect![[r#"
        fn f() {}
        // lines []
    "#]],
    );
    shows(
        "fn f() {\n}",
        expect![[r#"
            fn f() {
                #[allow(unreachable_code)] __memprof.line(0);
            }
            // lines [2]
        "#]],
    );
}

#[test]
fn branches() {
    shows(
        "
fn f(x: u32) -> u32 {
    if x > 3 {
        one();
    } else if x > 2 {
        let y = two();
        three(y);
    } else {
        four()
    }
}",
        expect![[r#"
            fn f(x: u32) -> u32 {
                let __memprof_end = __memprof.end(6);
                __memprof.line(0);
                if x > 3 {
                    __memprof.line(1);
                    one();
                } else if x > 2 {
                    __memprof.line(2);
                    let y = two();
                    __memprof.line(3);
                    three(y);
                    #[allow(unreachable_code)] __memprof.line(4);
                } else {
                    __memprof.line(5);
                    four()
                }
            }
            // lines [2, 3, 5, 6, 7, 8, 10]
        "#]],
    );
}

#[test]
fn arms() {
    shows(
        "
fn f(x: Option<u32>) -> u32 {
    match x {
        Some(0) => zero(),
        Some(n) if n > 9 => {
            let m = n;
            m
        }
        Some(n) => loop {
            one(n);
        },
        None => vec! {
            1
        }.len(),
        None => quote! { 1 },
        _ => {}
    }
}",
        expect![[r#"
            fn f(x: Option<u32>) -> u32 {
                let __memprof_end = __memprof.end(9);
                __memprof.line(0);
                match x {
                    Some(0) => {
                        __memprof.line(1);
                        zero()
                    }
                    Some(n) if n > 9 => {
                        __memprof.line(2);
                        let m = n;
                        let __memprof_end = __memprof.end(4);
                        __memprof.line(3);
                        m
                    }
                    Some(n) => {
                        __memprof.line(5);
                        loop {
                            let __memprof_again = __memprof.each(5);
                            __memprof.hot_line(6);
                            one(n);
                        }
                    }
                    None => {
                        __memprof.line(7);
                        vec! {
                            1
                        }
                            .len()
                    }
                    None => {
                        __memprof.line(8);
                        (quote! {
                            1
                        })
                    }
                    _ => {}
                }
            }
            // lines [2, 3, 5, 6, 7, 8, 9, 11, 14, 17]
        "#]],
    );
}

#[test]
fn loops() {
    shows(
        "
fn f(mut all: Vec<u32>) {
    for x in &all {
        if *x == 0 { continue; }
        if *x == 1 { break; }
        use_it(x);
    }
    while let Some(x) = all.pop() {
        if x == 3 {
            return;
        }
    }
    for x in 0..3 { use_it(&x); }
}",
        expect![[r#"
            fn f(mut all: Vec<u32>) {
                __memprof.line(0);
                for x in &all {
                    let __memprof_again = __memprof.again(0);
                    __memprof.hot_line(1);
                    if *x == 0 {
                        continue;
                    }
                    __memprof.hot_line(2);
                    if *x == 1 {
                        __memprof.leaving(1);
                        break;
                    }
                    __memprof.hot_line(3);
                    use_it(x);
                }
                __memprof.line(4);
                while let Some(x) = all.pop() {
                    let __memprof_again = __memprof.again(4);
                    __memprof.hot_line(5);
                    if x == 3 {
                        __memprof.hot_line(6);
                        __memprof.leaving(1);
                        return;
                    }
                }
                let __memprof_end = __memprof.end(8);
                __memprof.line(7);
                for x in 0..3 {
                    use_it(&x);
                }
            }
            // lines [2, 3, 4, 5, 7, 8, 9, 12, 13]
        "#]],
    );
}

#[test]
fn jumps_out_of_several_loops() {
    shows(
        "
fn f() -> u32 {
    'outer: loop {
        'block: {
            for x in 0.. {
                match x {
                    1 => break,
                    2 => continue 'outer,
                    3 => break 'outer,
                    4 => break 'block,
                    5 => continue,
                    6 => return loop { break 1 },
                    _ => return 1,
                }
            }
        }
    }
}",
        expect![[r#"
            fn f() -> u32 {
                let __memprof_end = __memprof.end(11);
                __memprof.line(0);
                'outer: loop {
                    let __memprof_again = __memprof.again(0);
                    __memprof.hot_line(1);
                    'block: {
                        __memprof.hot_line(2);
                        for x in 0.. {
                            let __memprof_again = __memprof.again(2);
                            __memprof.hot_line(3);
                            match x {
                                1 => {
                                    __memprof.hot_line(4);
                                    __memprof.leaving(1);
                                    break;
                                }
                                2 => {
                                    __memprof.hot_line(5);
                                    __memprof.leaving(1);
                                    continue 'outer;
                                }
                                3 => {
                                    __memprof.hot_line(6);
                                    __memprof.leaving(2);
                                    break 'outer;
                                }
                                4 => {
                                    __memprof.hot_line(7);
                                    __memprof.leaving(1);
                                    break 'block;
                                }
                                5 => {
                                    __memprof.hot_line(8);
                                    continue;
                                }
                                6 => {
                                    __memprof.hot_line(9);
                                    return loop {
                                        break 1;
                                    };
                                }
                                _ => {
                                    __memprof.hot_line(10);
                                    __memprof.leaving(2);
                                    return 1;
                                }
                            }
                        }
                    }
                }
            }
            // lines [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17]
        "#]],
    );
}

#[test]
fn blocks_inside_of_expressions() {
    shows(
        "
fn f() -> u32 {
    let a = unsafe {
        one()
    };
    let b = call(
        {
            let x = two();
            x
        },
        if a { 1 } else { 2 },
    ) + match a {
        true => 1,
        false => 2,
    };
    let Some(c) = b else {
        return 0;
    };
    d = ({
        three()
    }) as u32;
    c
}",
        expect![[r#"
            fn f() -> u32 {
                __memprof.line(0);
                let a = unsafe {
                    __memprof.line(1);
                    one()
                };
                __memprof.line(2);
                let b = call(
                    {
                        let __memprof_back = __memprof.back(2);
                        __memprof.line(3);
                        let x = two();
                        let __memprof_end = __memprof.end(5);
                        __memprof.line(4);
                        x
                    },
                    if a {
                        let __memprof_back = __memprof.back(2);
                        __memprof.line(6);
                        1
                    } else {
                        let __memprof_back = __memprof.back(2);
                        __memprof.line(6);
                        2
                    },
                )
                    + match a {
                        true => {
                            let __memprof_back = __memprof.back(2);
                            __memprof.line(7);
                            1
                        }
                        false => {
                            let __memprof_back = __memprof.back(2);
                            __memprof.line(8);
                            2
                        }
                    };
                __memprof.line(9);
                let Some(c) = b else {
                    __memprof.line(10);
                    return 0;
                };
                __memprof.line(11);
                d = ({
                    __memprof.line(12);
                    three()
                }) as u32;
                let __memprof_end = __memprof.end(14);
                __memprof.line(13);
                c
            }
            // lines [2, 3, 5, 7, 8, 9, 10, 12, 13, 15, 16, 18, 19, 21, 22]
        "#]],
    );
}

#[test]
fn what_runs_at_another_time_is_left_alone() {
    shows(
        "
fn f() {
    const C: u32 = {
        1
    };
    fn inner() {
        two();
    }
    let array = [0; {
        3
    }];
    const {
        four()
    };
}",
        expect![[r#"
            fn f() {
                const C: u32 = { 1 };
                fn inner() {
                    two();
                }
                __memprof.line(0);
                let array = [0; { 3 }];
                __memprof.line(1);
                const { four() };
                #[allow(unreachable_code)] __memprof.line(2);
            }
            // lines [8, 11, 14]
        "#]],
    );
}

#[test]
fn the_last_statements_under_cfg() {
    shows(
        "
fn f() -> u32 {
    let a = 1;
    #[cfg(unix)]
    {
        a
    }
    #[cfg(not(unix))]
    a + 1
}",
        expect![[r#"
            fn f() -> u32 {
                __memprof.line(0);
                let a = 1;
                let __memprof_end = __memprof.end(4);
                #[cfg(unix)] __memprof.line(1);
                #[cfg(unix)]
                {
                    __memprof.line(2);
                    a
                }
                #[cfg(not(unix))] __memprof.line(3);
                #[cfg(not(unix))] a + 1
            }
            // lines [2, 4, 5, 8, 9]
        "#]],
    );
    shows(
        "
fn f() {
    if x {
        y();
    }
    #[cfg(unix)]
    z();
}",
        expect![[r#"
            fn f() {
                let __memprof_end = __memprof.end(3);
                __memprof.line(0);
                if x {
                    __memprof.line(1);
                    y();
                }
                #[cfg(unix)] __memprof.line(2);
                #[cfg(unix)] z();
            }
            // lines [2, 3, 6, 7]
        "#]],
    );
}

#[test]
fn dead_statements_are_left_to_the_compiler() {
    shows(
        "
fn f() {
    let a = 1;
    return;
    b();
    c();
}",
        expect![[r#"
            fn f() {
                __memprof.line(0);
                let a = 1;
                let __memprof_end = __memprof.end(2);
                __memprof.line(1);
                return;
                b();
                c();
            }
            // lines [2, 3, 6]
        "#]],
    );
}

#[test]
fn inner_attributes_and_items_stay_in_front() {
    shows(
        "
fn f() {
    #![allow(unused)]
    use std::fmt;
    for x in y {
        const A: u32 = 1;
        one();
    }
}",
        expect![[r#"
            fn f() {
                #![allow(unused)]
                use std::fmt;
                let __memprof_end = __memprof.end(2);
                __memprof.line(0);
                for x in y {
                    const A: u32 = 1;
                    let __memprof_again = __memprof.each(0);
                    __memprof.hot_line(1);
                    one();
                }
            }
            // lines [4, 6, 8]
        "#]],
    );
}

#[test]
fn attributes_on_statements_stay_on_them() {
    shows(
        "
fn f() {
    #[allow(unused)]
    let a = 1;
    /// Unused.
    #[rustfmt::skip]
    if a { b() }
}",
        expect![[r#"
            fn f() {
                __memprof.line(0);
                #[allow(unused)]
                let a = 1;
                let __memprof_end = __memprof.end(2);
                __memprof.line(1);
                /// Unused.
                #[rustfmt::skip]
                if a {
                    b()
                }
            }
            // lines [3, 6, 7]
        "#]],
    );
}

#[test]
fn closures_on_several_lines() {
    shows(
        "
fn f() -> u32 {
    a.iter().map(|x| x + 1).map(|x| {
        let y = x;
        if y == 0 {
            return 0;
        }
        y
    }).map(|x| match x {
        1 => 2,
        x => x,
    }).map(
        |x| x + 1,
    );
    if a.iter().any(|x| {
        let y = x;
        y == 0
    }) {
        one()
    }
}",
        expect![[r#"
            fn f() -> u32 {
                __memprof.line(0);
                a.iter()
                    .map(|x| x + 1)
                    .map(|x| {
                        let __memprof_frame = ::memprof::__private::ClosureFrame::enter(
                            &__MEMPROF_SITE,
                        );
                        let __memprof = __memprof_frame.probe();
                        __memprof.hot_line(1);
                        let y = x;
                        __memprof.hot_line(2);
                        if y == 0 {
                            __memprof.hot_line(3);
                            return 0;
                        }
                        let __memprof_end = __memprof.end(5);
                        __memprof.hot_line(4);
                        y
                    })
                    .map(|x| {
                        let __memprof_frame = ::memprof::__private::ClosureFrame::enter(
                            &__MEMPROF_SITE,
                        );
                        let __memprof = __memprof_frame.probe();
                        __memprof.hot_line(5);
                        match x {
                            1 => {
                                __memprof.hot_line(6);
                                2
                            }
                            x => {
                                __memprof.hot_line(7);
                                x
                            }
                        }
                    })
                    .map(|x| x + 1);
                let __memprof_end = __memprof.end(13);
                __memprof.line(8);
                if a
                    .iter()
                    .any(|x| {
                        let __memprof_frame = ::memprof::__private::ClosureFrame::enter(
                            &__MEMPROF_SITE,
                        );
                        let __memprof = __memprof_frame.probe();
                        __memprof.hot_line(9);
                        let y = x;
                        let __memprof_end = __memprof.end(11);
                        __memprof.hot_line(10);
                        y == 0
                    })
                {
                    __memprof.line(12);
                    one()
                }
            }
            // lines [2, 3, 4, 5, 7, 8, 9, 10, 14, 15, 16, 17, 18, 20]
        "#]],
    );
}

#[test]
fn async_blocks_on_several_lines() {
    shows(
        "
fn f() {
    spawn(async move {
        one().await;
        two().await
    });
    block_on(async { 1 });
}",
        expect![[r#"
            fn f() {
                __memprof.line(0);
                spawn(
                    ::memprof::__private::part(
                        &__MEMPROF_SITE,
                        async move {
                            let __memprof = ::memprof::__private::AsyncProbe::new(&__MEMPROF_SITE);
                            __memprof.line(1);
                            one().await;
                            let __memprof_end = __memprof.end(3);
                            __memprof.line(2);
                            two().await
                        },
                    ),
                );
                __memprof.line(4);
                block_on(async { 1 });
                #[allow(unreachable_code)] __memprof.line(5);
            }
            // lines [2, 3, 4, 5, 6, 7]
        "#]],
    );
}

#[test]
fn blocks_in_conditions() {
    shows(
        "
fn f() {
    while let Some(x) = {
        let y = next();
        y
    } {
        use_it(x);
    }
    match unsafe {
        one()
    } {
        1 => {}
    }
}",
        expect![[r#"
            fn f() {
                __memprof.line(0);
                while let Some(x) = {
                    let __memprof_back = __memprof.back(0);
                    __memprof.line(1);
                    let y = next();
                    let __memprof_end = __memprof.end(3);
                    __memprof.line(2);
                    y
                } {
                    let __memprof_again = __memprof.each(0);
                    __memprof.hot_line(4);
                    use_it(x);
                }
                let __memprof_end = __memprof.end(7);
                __memprof.line(5);
                match unsafe {
                    let __memprof_back = __memprof.back(5);
                    __memprof.line(6);
                    one()
                } {
                    1 => {}
                }
            }
            // lines [2, 3, 4, 5, 6, 8, 9, 13]
        "#]],
    );
}

#[test]
fn skipped_statements() {
    shows(
        "
fn f() {
    #[memprof(skip)]
    for x in y {
        one();
        #[memprof(skip)]
        two();
    }
    three();
}",
        expect![[r#"
            fn f() {
                __memprof.line(0);
                for x in y {
                    one();
                    two();
                }
                __memprof.line(1);
                three();
                #[allow(unreachable_code)] __memprof.line(2);
            }
            // lines [3, 8, 9]
        "#]],
    );
}
