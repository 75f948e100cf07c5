//! Static markers: every form in which the note of one says where its arguments are.

use super::*;

/// What a script prints of the arguments of one of the program's markers.
fn arguments(app: &Program, marker: &str, count: usize) -> String {
    let each: Vec<String> = (0..count).map(|number| format!("(int64)arg{number}")).collect();
    app.printed(&format!("usdt:APP:shop:{marker} {{ print(({})); }}", each.join(", ")))
}

#[test]
fn arguments_are_read_where_the_note_says_they_are() {
    let app = program!("gcc", "marked.c");
    // 0x1fffe is -2 in 16 bits, 0x80ff is 255 and -128 byte by byte.
    assert_eq!(arguments(&app, "registers", 5), "(1099511627776, -5, -2, 255, -128)\n");
    assert_eq!(arguments(&app, "constants", 4), "(-9, 16, 4294967295, -1)\n");
    assert_eq!(arguments(&app, "memory", 5), "(10, -30, 40, -30, 10)\n");
}

#[test]
fn arguments_that_are_variables_are_found_wherever_the_program_is_loaded() {
    for flag in ["-pie", "-no-pie"] {
        let Some(app) = Program::compile("gcc", "marked.c", &["-fPIE", flag]) else { return };
        if let Some(missing) = preflight::missing().first() {
            return println!("SKIP: {missing}");
        }
        assert_eq!(arguments(&app, "variables", 4), "(-42, 7000000000, 200, 20)\n", "{flag}");
        let wrong = app.refused("usdt:APP:shop:variables { print(arg4); }");
        assert!(wrong.contains("`arg4` of this marker is in a place that cannot be read"), "{wrong}");
    }
}
