//! Parses the `format` file of a tracepoint.
//!
//! Source of the layout: Documentation/trace/events.rst of the kernel.

use lang::target::{TracepointField, TracepointFormat};

/// Parses what a `format` file says; lines that are not understood are skipped, for newer kernels add some.
pub fn parse(text: &str) -> TracepointFormat {
    let mut format = TracepointFormat::default();
    for line in text.lines() {
        let line = line.trim();
        if let Some(id) = line.strip_prefix("ID:") {
            format.id = id.trim().parse().unwrap_or_default();
        } else if let Some(field) = line.strip_prefix("field:").and_then(field)
            && !field.name.starts_with("common_")
        {
            format.fields.push(field);
        } else if line.starts_with("print fmt:") {
            break;
        }
    }
    format
}

/// `char comm[16];  offset:8;  size:16;  signed:0;`, with tabs between them
fn field(text: &str) -> Option<TracepointField> {
    let mut parts = text.split(';').map(str::trim);
    let (ty, name) = declaration(parts.next()?)?;
    let mut field = TracepointField { name, ty, offset: 0, size: 0, signed: false };
    for part in parts {
        match part.split_once(':') {
            Some(("offset", value)) => field.offset = value.parse().ok()?,
            Some(("size", value)) => field.size = value.parse().ok()?,
            Some(("signed", value)) => field.signed = value == "1",
            _ => {}
        }
    }
    Some(field)
}

/// Splits a C declaration into type and name; an array's length goes to the type.
fn declaration(text: &str) -> Option<(String, String)> {
    let (text, array) = match text.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        Some((rest, length)) => (rest.trim_end(), format!("[{length}]")),
        None => (text, String::new()),
    };
    let start = text.rfind(|c: char| !(c.is_alphanumeric() || c == '_'))? + 1;
    let (ty, name) = text.split_at_checked(start)?;
    (!name.is_empty()).then(|| (format!("{}{array}", ty.trim_end()), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWITCH: &str = "name: sched_switch\nID: 269\nformat:\n\
        \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\
        \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\
        \tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n\
        \tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n\
        \tfield:__data_loc char[] name;\toffset:40;\tsize:4;\tsigned:0;\n\
        \tfield:const char * filename;\toffset:48;\tsize:8;\tsigned:0;\n\n\
        print fmt: \"%s field:int x;\", REC->prev_comm\n";

    #[test]
    fn the_common_fields_are_left_out_and_the_rest_keeps_its_order() {
        let format = parse(SWITCH);
        assert_eq!(format.id, 269);
        let names: Vec<_> = format.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["prev_comm", "prev_state", "name", "filename"]);
    }

    #[test]
    fn types_keep_their_array_lengths_and_pointers() {
        let format = parse(SWITCH);
        let types: Vec<_> = format.fields.iter().map(|field| field.ty.as_str()).collect();
        assert_eq!(types, ["char[16]", "long", "__data_loc char[]", "const char *"]);
        let state = &format.fields[1];
        assert_eq!((state.offset, state.size, state.signed), (32, 8, true));
    }
}
