//! The printer: a [`Script`] as canonical text, and a script's own text in canonical form.
//!
//! `parse(print(script))` is the script again but for its places. [`format()`] also keeps comments, directives, blank lines and what a
//! false `#if` leaves out, and changes nothing when run on its own result. What goes where is decided in `layout` (lines,
//! comments), `statement` and `expr` (the fewest parentheses that read back the same).

mod expr;
mod layout;
mod statement;

use crate::ast::{AttachPoint, ConfigItem, ConfigValue, Macro, MapDecl, Preamble, Probe, Script};
use crate::diagnostic::Diagnostic;
use crate::lex::is_name_byte;
use crate::lex::string::quote;
use crate::parse::{is_path, parse_document};
use crate::span::Span;

use layout::Printer;

/// Prints a script. Where its directives define names, those are replaced in the tree already, but the directives are still printed.
pub fn print(script: &Script) -> String {
    let mut printer = Printer::new("", vec![]);
    printer.script(script);
    printer.finish()
}

/// Puts a script's text in canonical form.
///
/// # Errors
/// What is wrong with its form; a script that cannot be read is not rearranged.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let document = parse_document(text)?;
    let mut script = document.script;
    script.preamble.retain(|item| !matches!(item, Preamble::Directive(_)));
    let mut printer = Printer::new(text, document.remarks);
    printer.script(&script);
    Ok(printer.finish())
}

/// What may stand at the top of a script.
enum Item<'a> {
    Preamble(&'a Preamble),
    Config(&'a [ConfigItem], Span),
    MapDecl(&'a MapDecl),
    Macro(&'a Macro),
    Probe(&'a Probe),
}

impl Item<'_> {
    /// From its first name to its end.
    fn span(&self) -> Span {
        match self {
            Item::Preamble(Preamble::Directive(text) | Preamble::Definition(text) | Preamble::Import(text)) => {
                text.span
            }
            Item::Config(_, span) => *span,
            Item::MapDecl(decl) => {
                decl.name.span.to(decl.entries.as_ref().map_or(decl.kind.span, |entries| entries.span))
            }
            Item::Macro(definition) => definition.name.span.to(definition.body.span),
            Item::Probe(probe) => probe.span,
        }
    }

    /// Items of one line may follow each other without a blank line between.
    fn is_line(&self) -> bool {
        matches!(self, Item::Preamble(Preamble::Directive(_) | Preamble::Import(_)) | Item::MapDecl(_))
    }
}

impl Printer<'_> {
    fn script(&mut self, script: &Script) {
        let mut items: Vec<Item<'_>> = script.preamble.iter().map(Item::Preamble).collect();
        if let (Some(first), Some(last)) = (script.config.first(), script.config.last()) {
            items.push(Item::Config(&script.config, first.key.span.to(last.value.span)));
        }
        items.extend(script.map_decls.iter().map(Item::MapDecl));
        items.extend(script.macros.iter().map(Item::Macro));
        items.extend(script.probes.iter().map(Item::Probe));
        items.sort_by_key(|item| item.span().start);
        let mut after_line = false;
        for item in &items {
            self.item(item, after_line && item.is_line());
            after_line = item.is_line();
        }
    }

    fn item(&mut self, item: &Item<'_>, close: bool) {
        let span = item.span();
        self.remarks_before(span.start);
        self.separate(span.start, close);
        match item {
            Item::Preamble(Preamble::Directive(text) | Preamble::Definition(text)) => {
                self.skip_remarks(text.span);
                // The text it was read from still holds the directives inside of it.
                let whole = self.text_of(text.span);
                self.push(if whole.is_empty() { &text.node } else { whole });
                self.end_line(span.end);
            }
            Item::Preamble(Preamble::Import(name)) => {
                self.push("import ");
                self.push(&quote(&name.node));
                self.push(";");
                self.end_line(span.end);
            }
            Item::Config(items, span) => self.config(items, *span),
            Item::MapDecl(decl) => {
                self.push(&std::format!("let {} = {}(", decl.name.node, decl.kind.node));
                if let Some(entries) = &decl.entries {
                    self.expr(entries, 0);
                }
                self.push(");");
                self.end_line(span.end);
            }
            Item::Macro(definition) => {
                let params: Vec<&str> = definition.params.iter().map(|param| param.node.as_str()).collect();
                self.push(&std::format!("macro {}({}) ", definition.name.node, params.join(", ")));
                self.block(&definition.body);
                self.end_line(span.end);
            }
            Item::Probe(probe) => self.probe(probe),
        }
    }

    fn config(&mut self, items: &[ConfigItem], span: Span) {
        self.push("config = {");
        self.end_line(span.start);
        self.indent();
        for item in items {
            self.remarks_before(item.key.span.start);
            self.keep_blank_line(item.key.span.start);
            self.push(&item.key.node);
            self.push(" = ");
            match &item.value.node {
                ConfigValue::Int(value) => self.push(&value.to_string()),
                ConfigValue::Str(text) => self.push(&quote(text)),
                ConfigValue::Word(word) => self.push(word),
            }
            self.push(";");
            self.end_line(item.value.span.end);
        }
        self.dedent();
        self.push("}");
        self.end_line(span.end);
    }

    fn probe(&mut self, probe: &Probe) {
        // Comments between attach points have no line of their own to stand at.
        self.remarks_before(probe.body.span.start);
        for (index, point) in probe.attach_points.iter().enumerate() {
            if index > 0 {
                self.push(",");
                self.end_line(point.span.start);
            }
            self.push(&attach_point(point));
        }
        if let Some(predicate) = &probe.predicate {
            if probe.attach_points.len() > 1 {
                self.end_line(predicate.span.start);
            } else {
                self.push(" ");
            }
            self.push("/");
            let mark = self.mark();
            self.expr(predicate, 0);
            // `/*` would open a comment.
            if self.since(mark).starts_with('*') {
                self.enclose(mark);
            }
            self.push("/");
        }
        self.push(" ");
        self.block(&probe.body);
        self.end_line(probe.span.end);
    }
}

/// An attach point as written, with quotes where its parts need them.
fn attach_point(point: &AttachPoint) -> String {
    let mut text = String::new();
    if let Some(name) = &point.name {
        text.push_str(&name.node);
        text.push('=');
    }
    text.push_str(&provider_name(&point.provider.node));
    for (index, part) in point.parts.iter().enumerate() {
        text.push(':');
        text.push_str(&attach_part(&point.provider.node, index, &part.node));
    }
    text
}

/// A provider's name; what could not stand there without quotes is put into them, all but a `$1` that it starts with.
fn provider_name(name: &str) -> String {
    let parameter = usize::from(name.starts_with('$'));
    let is_plain = |byte: &u8| is_name_byte(*byte);
    let length = parameter + name.bytes().skip(parameter).take_while(is_plain).count();
    let (plain, rest) = match name.split_at(length) {
        // A string behind it would be what is imported.
        ("import", rest) if !rest.is_empty() => name.split_at(length - 1),
        split => split,
    };
    if rest.is_empty() { plain.to_owned() } else { std::format!("{plain}{}", quote(rest)) }
}

fn attach_part(provider: &str, index: usize, part: &str) -> String {
    let is_plain = !part.contains([':', ',', '{', '}', ';', '"']) && !part.contains(char::is_whitespace);
    let opens_comment = part.starts_with("//") || part.starts_with("/*");
    let slashes_belong = !part.contains('/') || (is_path(provider, index, part) && (index == 0 || !opens_comment));
    if is_plain && slashes_belong && !part.chars().any(|c| c.is_control()) { part.to_owned() } else { quote(part) }
}
