//! Debug information: arguments by name, types by name, lines, stripped programs.

use agent::probes::{Listing, list};

use super::*;

#[test]
fn arguments_go_by_their_names_and_structs_by_their_members() {
    let app = program!("gcc", "shop.c");
    let printed = app.printed(
        r#"uprobe:APP:serve {
             printf("%d %s %s\n", args.order->id, args.order.name, str(args.who));
             printf("%d %d %d\n", args.order.urgent, args.order.tries, args.order.next.tries);
             printf("%d %d %d\n", args.order.parts[2], args.order.amount, args.order.next.amount);
             printf("%d %s %d\n", args.order.label.size, args.order.label.text, args.order.state == 7);
             printf("%d %d %d\n", args.both.first, args.both.second, args.mode);
           }"#,
    );
    let expected = "41 first customer\n1 100 9\n3 -5 77\n3 abc 1\n10 20 -3\n";
    assert_eq!(printed, expected);
}

#[test]
fn arguments_on_the_stack_and_behind_a_hidden_pointer_are_found() {
    let app = program!("gcc", "shop.c");
    let printed = app.printed(
        r#"uprobe:APP:many { printf("%d %d %d\n", args.f, args.g, args.h.c); }
           uprobe:APP:produce { printf("%d\n", args.seed); }"#,
    );
    assert_eq!(printed, "6 -7 3\n11\n");
}

#[test]
fn all_arguments_are_one_record() {
    let app = program!("gcc", "shop.c");
    let printed =
        app.printed("uprobe:APP:branches { @[args] = count(); $all = args; @sum = sum($all.which); print(args); }");
    assert!(printed.starts_with("{ .which = 1 }\n{ .which = 2 }\n"), "{printed}");
    assert!(printed.contains("@[{ .which = 1 }]: 1\n") && printed.contains("@sum: 3\n"), "{printed}");
}

#[test]
fn a_struct_of_the_program_is_cast_to_by_its_name_and_printed_whole() {
    let app = program!("gcc", "shop.c");
    let printed = app.printed(
        r#"uprobe:APP:serve { printf("%d\n", ((struct order *)arg0).next->id); print(((struct order *)arg0).label); }
           uprobe:APP:serve { print((sizeof(struct wide), offsetof(struct order, name))); }"#,
    );
    assert_eq!(printed, "2\n{ .size = 3, .text = abc }\n(24, 5)\n");
}

#[test]
fn what_debug_information_does_not_tell_is_told() {
    let app = program!("gcc", "shop.c");
    let wrong = app.refused("uprobe:APP:serve { print(args.ordre); }");
    assert!(wrong.contains("did you mean `order`?"), "{wrong}");
    let wrong = app.refused("uprobe:APP:serve { print(args.load); }");
    assert!(wrong.contains("`double load` is handed over in a way that a probe cannot read"), "{wrong}");
    app.tool("strip", &["-g", "shop"]);
    let wrong = app.refused("uprobe:APP:serve { print(args.mode); }");
    assert!(wrong.contains("no debuginfo found for"), "{wrong}");
    let wrong = app.refused("uprobe:APP@shop.c:50 { }");
    assert!(wrong.contains("No DWARF debug info found for"), "{wrong}");
}

#[test]
fn a_line_of_the_source_is_attached_to() {
    let app = program!("gcc", "shop.c");
    assert_eq!(
        app.printed(r#"uprobe:APP@shop.c:50 { printf("here\n"); } uprobe:APP@shop.c:48 { @ = count(); }"#),
        "here\n\n\n@: 2\n"
    );
    let wrong = app.refused("uprobe:APP@shop.c:4 { }");
    assert!(
        wrong.contains("Unable to map 'shop.c:4' to address") && wrong.contains("nearest lines with code: "),
        "{wrong}"
    );
    let wrong = app.refused("uprobe:APP@nothing.c:4 { }");
    assert!(wrong.contains("No compilation unit matches nothing.c") && wrong.contains("shop.c"), "{wrong}");
}

#[test]
fn parameters_are_listed_with_their_types() {
    let app = program!("gcc", "shop.c");
    let pattern = format!("uprobe:{}:serve", app.path.display());
    let lines = list(&pattern, &Listing { verbose: true, ..Listing::default() }).expect("a list");
    let parameters: Vec<&str> = lines[1..].iter().map(String::as_str).collect();
    let expected = ["struct order* order", "double load", "struct pair both", "signed char mode", "const char* who"];
    assert_eq!(parameters, expected.map(|parameter| format!("    {parameter}")));
}

#[test]
fn a_stripped_program_is_described_by_its_debug_file() {
    let app = program!("gcc", "shop.c", "-Wl,--build-id=none");
    app.tool("objcopy", &["--only-keep-debug", "shop", "shop.dbg"]);
    app.tool("strip", &["shop"]);
    app.tool("objcopy", &["--add-gnu-debuglink=shop.dbg", "shop"]);
    let script = r#"uprobe:APP:branches { printf("%d\n", args.which); } uprobe:APP@shop.c:50 { printf("here\n"); }"#;
    assert_eq!(app.printed(script), "1\n2\nhere\n");
    // Another file of the same name does not pass for it.
    std::fs::write(app.folder.path().join("shop.dbg"), "something else").expect("a file");
    assert!(app.refused(script).contains("No matches for uprobe"));
}

#[test]
fn a_debug_file_is_looked_for_by_build_id_in_a_folder_that_is_given() {
    let app = program!("gcc", "shop.c", "-Wl,--build-id=0x0123456789abcdef", "-gz=zlib");
    let folder = app.folder.path().join("debug/.build-id/01");
    std::fs::create_dir_all(&folder).expect("a folder");
    app.tool("objcopy", &["--only-keep-debug", "shop", "debug/.build-id/01/23456789abcdef.debug"]);
    app.tool("strip", &["shop"]);
    let script = r#"uprobe:APP:branches { printf("%d\n", args.which); }"#;
    assert!(app.refused(script).contains("No matches for uprobe"));
    let given = app.trace_with(script, |options| options.compile.debug_folders = vec!["./debug".to_owned()]);
    assert_eq!(given.unwrap_or_else(|error| panic!("{error}")), "1\n2\n");
}

#[test]
fn references_bases_and_methods_of_cpp_are_described() {
    let app = program!("g++", "shop.cpp");
    let printed = app.printed(
        r#"uprobe:APP:cpp:"shop::sell" { printf("%d %d %d\n", args.item.price, args.item.number, args.now); }
           uprobe:APP:cpp:"shop::sell" { printf("%d %d\n", args.copy.price, args.copy.sold); }
           uprobe:APP:cpp:"shop::Till::count" { printf("%d %d\n", args.this.coins, args.extra); }"#,
    );
    assert_eq!(printed, "30 4 1\n30 1\n6 3\n");
}

#[test]
fn a_probe_behind_a_landing_mark_sees_what_one_before_it_sees() {
    let app = program!("gcc", "shop.c", "-fcf-protection=full", "-no-pie");
    let plain = app.printed(
        r#"uprobe:APP:branches { printf("%d %d %s %s\n", args.which, arg0, func, probe); }
           uretprobe:APP:branches { printf("%d %s\n", retval, func); }
           uprobe:APP:many { printf("%d\n", args.h.c); }"#,
    );
    let probe = format!("uprobe:{}:branches", app.path.display());
    assert_eq!(plain, format!("3\n1 1 branches {probe}\n0 branches\n2 2 branches {probe}\n5 branches\n"));
    let stacks =
        app.printed(r#"uprobe:APP:branches { print(ustack(2)); } uretprobe:APP:branches { @ = sum(retval); }"#);
    assert!(stacks.contains("branches+0\n") && stacks.contains("@: 5"), "{stacks}");
}

#[test]
fn no_breakpoint_is_set_in_the_middle_of_an_instruction() {
    let app = program!("gcc", "shop.c", "-fcf-protection=full", "-no-pie");
    let wrong = app.refused("uprobe:APP:branches+2 { }");
    assert!(
        wrong.contains("Could not add uprobe into middle of instruction: ") && wrong.contains("branches+2"),
        "{wrong}"
    );
    let inside = format!("{:#x}", app.address_of("branches") + 2);
    let wrong = app.refused(&format!("uprobe:APP:{inside} {{ }}"));
    assert!(wrong.contains("middle of instruction") && wrong.contains(&inside), "{wrong}");
    assert_eq!(app.printed("uprobe:APP:branches+4 { @ = count(); }").trim(), "@: 2", "behind the landing mark");
}

#[test]
fn other_processes_of_the_same_program_are_left_out() {
    let app = program!("gcc", "shop.c");
    let other = app.path.display().to_string();
    let script = r#"uprobe:APP:branches { @ = count(); } uretprobe:APP:bra* { @returns = count(); }
                    uprobe:APP:main { system("OTHER"); }"#;
    let printed = app.trace_with(&script.replace("OTHER", &other), |options| options.compile.unsafe_allowed = true);
    assert_eq!(printed.unwrap_or_else(|error| panic!("{error}")).trim(), "@: 2\n@returns: 2");
}

#[test]
fn build_ids_stand_for_the_addresses_of_a_stack() {
    let app = program!("gcc", "shop.c", "-Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567");
    let printed = app.printed("uprobe:APP:serve { print(ustack(build_id, 2)); }");
    let frames: Vec<&str> = printed.split_whitespace().collect();
    assert_eq!(frames.len(), 4, "{printed}");
    assert_eq!([frames[0], frames[2]], ["0123456789abcdef0123456789abcdef01234567"; 2]);
    assert!(frames[1].starts_with("0x1"), "{printed}");
}
