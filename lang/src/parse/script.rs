//! The top level of a script: definitions, config, imports, map declarations, macros and probes.

use crate::ast::{ConfigItem, ConfigValue, Macro, MapDecl, Preamble, Probe, Script};
use crate::diagnostic::Diagnostic;
use crate::lex::{number, string};
use crate::span::{Span, Spanned};
use crate::token::Kind;

use super::cursor::{Parsed, Parser};

impl Parser<'_> {
    /// `preamble* config? (import | declaration | macro | probe)*`; what fails is reported and skipped.
    pub(super) fn script(&mut self) -> Script {
        let mut script = Script::default();
        let mut config = None;
        while !self.at(Kind::End) {
            let start = self.token.span;
            if self.item(&mut script, &mut config).is_err() {
                self.skip_block();
            }
            if self.token.span == start && !self.at(Kind::End) {
                self.bump();
            }
        }
        script
    }

    fn item(&mut self, script: &mut Script, config: &mut Option<Span>) -> Parsed<()> {
        let next = if self.at(Kind::Ident) { self.peek() } else { Kind::End };
        match (self.text(self.token), next) {
            ("struct" | "union" | "enum" | "typedef", Kind::Ident | Kind::LBrace) => {
                script.preamble.push(Preamble::Definition(self.definition()?));
            }
            ("config", Kind::Assign) => {
                let span = self.span();
                if let Some(first) = config.replace(span) {
                    let message = "a script has one config block";
                    self.report(Diagnostic::error("E0114", span, message).related(first, "the first is here"));
                } else if !script.probes.is_empty() || !script.macros.is_empty() || !script.map_decls.is_empty() {
                    self.error("E0116", span, "the config block must stand before probes, macros and map declarations");
                }
                self.config(&mut script.config)?;
            }
            ("import", Kind::Str) => {
                let import = self.import()?;
                if !script.probes.is_empty() || !script.macros.is_empty() || !script.map_decls.is_empty() {
                    self.error("E0116", import.span, "imports must stand before probes, macros and map declarations");
                }
                script.preamble.push(Preamble::Import(import));
            }
            ("macro", Kind::Ident) => script.macros.push(self.macro_definition()?),
            ("let", Kind::Map | Kind::Variable) => script.map_decls.push(self.map_declaration()?),
            ("fn", Kind::Ident) => {
                let span = self.span();
                let message = "functions are not part of the language";
                self.report(Diagnostic::error("E0118", span, message).help("write a macro: macro name($x) { .. }"));
                self.skip_block();
            }
            _ => {
                let probe = self.probe()?;
                script.probes.push(probe);
            }
        }
        Ok(())
    }

    /// A C definition as text, from its keyword to its semicolon, which may be absent after a brace.
    fn definition(&mut self) -> Parsed<Spanned<String>> {
        let start = self.token.span;
        let is_typedef = self.at_word("typedef");
        let mut open: Option<(Span, u32)> = None;
        loop {
            match self.token.kind {
                Kind::End => {
                    let span = open.map_or(start, |(span, _)| span);
                    return Err(self.error("E0108", span, "this definition is not closed"));
                }
                Kind::LBrace => {
                    let depth = open.map_or(0, |(_, depth)| depth);
                    open = Some((open.map_or(self.token.span, |(span, _)| span), depth + 1));
                }
                Kind::RBrace => match open {
                    Some((span, 1)) => {
                        open = Some((span, 0));
                        if !is_typedef && !self.definition_goes_on() {
                            self.bump();
                            self.skip_attributes();
                            self.eat(Kind::Semicolon);
                            break;
                        }
                    }
                    Some((span, depth)) if depth > 1 => open = Some((span, depth - 1)),
                    _ => return Err(self.expected("';'")),
                },
                Kind::Semicolon if open.is_none_or(|(_, depth)| depth == 0) => {
                    self.bump();
                    break;
                }
                _ => {}
            }
            self.bump();
        }
        let span = self.since(start);
        Ok(Spanned { node: self.lexer.text().get(span.range()).unwrap_or_default().to_owned(), span })
    }

    /// Whether the semicolon follows the closing brace of a definition.
    fn definition_goes_on(&self) -> bool {
        self.peek_token().kind == Kind::Semicolon
    }

    /// Skips `__attribute__((..))`, any number of them.
    fn skip_attributes(&mut self) {
        while self.at(Kind::Ident) && self.text(self.token).starts_with("__attribute") {
            self.bump();
            let mut open = 0u32;
            while !self.at(Kind::End) {
                match self.token.kind {
                    Kind::LParen => open += 1,
                    Kind::RParen => open = open.saturating_sub(1),
                    _ => {}
                }
                self.bump();
                if open == 0 {
                    break;
                }
            }
        }
    }

    /// `config = { key = value; .. }`
    fn config(&mut self, items: &mut Vec<ConfigItem>) -> Parsed<()> {
        self.bump();
        self.expect(Kind::Assign)?;
        let open = self.expect(Kind::LBrace)?.span;
        while !self.at(Kind::RBrace) && !self.at(Kind::End) {
            let item = self.config_item();
            match item {
                Ok(item) => items.push(item),
                Err(_) => {
                    self.skip_statement();
                    continue;
                }
            }
            if self.end_of_statement().is_err() {
                self.skip_statement();
            }
        }
        self.expect_closing(Kind::RBrace, open)?;
        self.eat(Kind::Semicolon);
        Ok(())
    }

    fn config_item(&mut self) -> Parsed<ConfigItem> {
        let key = self.expect_name("the name of a setting")?;
        self.expect(Kind::Assign)?;
        let value = match self.token.kind {
            Kind::Int => {
                let Spanned { node, span } = self.integer();
                Spanned { node: ConfigValue::Int(node), span }
            }
            Kind::Str => {
                let Spanned { node, span } = self.string();
                Spanned { node: ConfigValue::Str(node), span }
            }
            Kind::Ident => {
                let Spanned { node, span } = self.take_text();
                Spanned { node: ConfigValue::Word(node), span }
            }
            _ => return Err(self.expected("a number, a string or a word")),
        };
        Ok(ConfigItem { key, value })
    }

    /// `import "name";`
    pub(super) fn import(&mut self) -> Parsed<Spanned<String>> {
        self.bump();
        if !self.at(Kind::Str) {
            return Err(self.expected("the name of a file in quotes"));
        }
        let name = self.string();
        self.end_of_statement()?;
        Ok(name)
    }

    /// `let @name = kind(entries);`
    fn map_declaration(&mut self) -> Parsed<MapDecl> {
        self.bump();
        if !self.at(Kind::Map) {
            let span = self.span();
            self.report(
                Diagnostic::error("E0106", span, "only maps are declared outside of probes")
                    .help("let @name = hash(entries);"),
            );
            self.skip_statement();
            return Err(super::cursor::Failed);
        }
        let name = self.take_text();
        self.expect(Kind::Assign)?;
        let kind = self.expect_name("the kind of the map")?;
        let open = self.expect(Kind::LParen)?.span;
        let entries = if self.at(Kind::RParen) { None } else { Some(self.expression()?) };
        self.expect_closing(Kind::RParen, open)?;
        self.eat(Kind::Semicolon);
        Ok(MapDecl { name, kind, entries })
    }

    /// `macro name($x, @m, e) { .. }`
    fn macro_definition(&mut self) -> Parsed<Macro> {
        self.bump();
        let name = self.expect_name("the macro's name")?;
        let open = self.expect(Kind::LParen)?.span;
        let mut params = vec![];
        while !self.at(Kind::RParen) {
            if !matches!(self.token.kind, Kind::Variable | Kind::Map | Kind::Ident) {
                return Err(self.expected("a parameter: $variable, @map or a name"));
            }
            params.push(self.take_text());
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.expect_closing(Kind::RParen, open)?;
        let body = self.block()?;
        Ok(Macro { name, params, body })
    }

    /// `attach points /predicate/ { .. }`
    fn probe(&mut self) -> Parsed<Probe> {
        let start = self.token.span;
        let attach_points = self.attach_points()?;
        let predicate = if self.at(Kind::Slash) { self.predicate() } else { Ok(None) };
        let predicate = match predicate {
            Ok(predicate) => predicate,
            Err(_) => {
                while !matches!(self.token.kind, Kind::LBrace | Kind::RBrace | Kind::End) {
                    self.bump();
                }
                None
            }
        };
        if !self.at(Kind::LBrace) {
            return Err(self.expected("'{'"));
        }
        let body = self.body()?;
        Ok(Probe { attach_points, predicate, body, span: self.since(start) })
    }

    fn predicate(&mut self) -> Parsed<Option<crate::ast::Expr>> {
        self.bump();
        self.in_predicate = true;
        let predicate = self.expression();
        self.in_predicate = false;
        let predicate = predicate?;
        if !self.at(Kind::Slash) {
            return Err(self.expected("'/' to close the predicate"));
        }
        self.bump();
        Ok(Some(predicate))
    }

    /// Takes an integer literal; 0 where it has no value.
    pub(super) fn integer(&mut self) -> Spanned<u64> {
        let token = self.bump();
        let span = self.place(token.span);
        let node = match number::value(self.text(token)) {
            Ok(value) => value,
            Err(error) => {
                self.error("E0103", span, error.to_string());
                0
            }
        };
        Spanned { node, span }
    }

    /// Takes a string literal; empty where it has no value.
    pub(super) fn string(&mut self) -> Spanned<String> {
        let token = self.bump();
        let span = self.place(token.span);
        let node = match string::value(self.text(token)) {
            Ok(value) => value,
            Err((error, range)) => {
                let start = token.span.start as usize;
                let at = self.place(Span::new(start + range.start, start + range.end));
                let mut finding = Diagnostic::error("E0102", at, error.to_string());
                if let string::StringError::Escape(_) = error {
                    finding = finding.help(r#"escapes are \n \t \r \" \\ \NNN (octal) and \xNN"#);
                }
                self.swallowed |= error == string::StringError::Unterminated;
                self.report(finding);
                String::new()
            }
        };
        Spanned { node, span }
    }
}
