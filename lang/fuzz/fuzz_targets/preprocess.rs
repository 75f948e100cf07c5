//! Any order of directives is followed or refused, whatever they define and leave out.
#![no_main]

use std::fmt::Write;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

/// A line of a script.
#[derive(Arbitrary, Debug)]
enum Line<'a> {
    Define { name: Name, body: Vec<Piece<'a>> },
    Function { name: Name, parameters: Vec<Name>, body: Vec<Piece<'a>> },
    Undef(Name),
    Ifdef(Name),
    Ifndef(Name),
    If(Vec<Piece<'a>>),
    Elif(Vec<Piece<'a>>),
    Else,
    Endif,
    Include(&'a str),
    Probe(Vec<Piece<'a>>),
    Text(&'a str),
    Raw { apart: bool, goes_on: bool, text: &'a str },
}

/// Few names, so that they meet.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Name {
    A,
    B,
    C,
    F,
    G,
    HaveBtf,
}

/// Some of a directive's or probe's text.
#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Name(Name),
    Call(Name, Vec<Name>),
    Number(i64),
    Operator(u8),
    Defined(Name),
    Text(&'a str),
}

const OPERATORS: [&str; 24] = [
    "+", "-", "*", "/", "%", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&&", "||", "!", "~", "&", "|", "^", "?",
    ":", "(", ")",
];

fuzz_target!(|lines: Vec<Line>| {
    let text = text(&lines);
    proof::parse(&text);
});

impl Name {
    fn text(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::F => "F",
            Self::G => "G",
            Self::HaveBtf => "BPFTRACE_HAVE_BTF",
        }
    }
}

fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let written = match line {
            Line::Define { name, body } => writeln!(text, "#define {} {}", name.text(), pieces(body)),
            Line::Function { name, parameters, body } => {
                writeln!(text, "#define {}({}) {}", name.text(), names(parameters), pieces(body))
            }
            Line::Undef(name) => writeln!(text, "#undef {}", name.text()),
            Line::Ifdef(name) => writeln!(text, "#ifdef {}", name.text()),
            Line::Ifndef(name) => writeln!(text, "#ifndef {}", name.text()),
            Line::If(condition) => writeln!(text, "#if {}", pieces(condition)),
            Line::Elif(condition) => writeln!(text, "#elif {}", pieces(condition)),
            Line::Else => writeln!(text, "#else"),
            Line::Endif => writeln!(text, "#endif"),
            Line::Include(file) => writeln!(text, "#include <{file}>"),
            Line::Probe(body) => writeln!(text, "begin {{ print({}); }}", pieces(body)),
            Line::Text(line) => writeln!(text, "{line}"),
            Line::Raw { apart, goes_on, text: line } => {
                writeln!(text, "#{}{line}{}", if *apart { " " } else { "" }, if *goes_on { "\\" } else { "" })
            }
        };
        written.expect("a string takes everything");
    }
    text
}

fn names(list: &[Name]) -> String {
    list.iter().map(|name| name.text()).collect::<Vec<_>>().join(", ")
}

fn pieces(list: &[Piece]) -> String {
    let pieces = list.iter().map(|piece| match piece {
        Piece::Name(name) => name.text().to_owned(),
        Piece::Call(name, arguments) => format!("{}({})", name.text(), names(arguments)),
        Piece::Number(number) => number.to_string(),
        Piece::Operator(index) => OPERATORS[usize::from(*index) % OPERATORS.len()].to_owned(),
        Piece::Defined(name) => format!("defined({})", name.text()),
        Piece::Text(text) => (*text).to_owned(),
    });
    pieces.collect::<Vec<_>>().join(" ")
}
