//! The words and signs of a C definition.

/// What is left of a definition.
pub struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    /// All of a definition.
    pub fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn skip_space(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if let Some(comment) = self.rest.strip_prefix("//") {
                self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                self.rest = comment.split_once("*/").map_or("", |(_, rest)| rest);
            } else {
                return;
            }
        }
    }

    /// The next word or sign, left where it is.
    pub fn peek(&mut self) -> Option<&'a str> {
        self.skip_space();
        let word = self.rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let first = self.rest.chars().next()?.len_utf8();
        self.rest.get(..if word > 0 { word } else { first })
    }

    /// The next word or sign.
    pub fn next(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        self.rest = self.rest.get(token.len()..).unwrap_or_default();
        Some(token)
    }

    /// The next token if it is this one.
    pub fn take(&mut self, wanted: &str) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// The next token, which must be this one.
    pub fn expect(&mut self, wanted: &str) -> Result<(), String> {
        match self.next() {
            Some(found) if found == wanted => Ok(()),
            Some(found) => Err(format!("`{wanted}` is expected, not `{found}`")),
            None => Err(format!("`{wanted}` is missing")),
        }
    }

    /// The next token if it is a name.
    pub fn word(&mut self) -> Option<&'a str> {
        self.peek().filter(|w| w.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))?;
        self.next()
    }

    /// Skips what says nothing about a type's layout.
    pub fn skip_qualifiers(&mut self) {
        while ["const", "volatile", "restrict", "__restrict", "__user", "__rcu", "static", "inline", "extern", "signed"]
            .iter()
            .any(|word| self.peek() == Some(word) && (*word != "signed" || self.is_followed_by_type()))
        {
            self.next();
        }
    }

    /// `signed` alone is a type, before another word of one it is not needed.
    fn is_followed_by_type(&mut self) -> bool {
        let behind = self.rest.trim_start().strip_prefix("signed").unwrap_or_default().trim_start();
        ["char", "short", "int", "long"].iter().any(|word| behind.starts_with(word))
    }

    /// Skips `__attribute__((..))`; whether it says `packed`.
    pub fn attributes(&mut self) -> bool {
        let mut packed = false;
        while self.take("__attribute__") || self.take("__attribute") {
            if !self.take("(") {
                return packed;
            }
            let before = self.rest;
            self.skip_to_close();
            let inside = before.get(..before.len() - self.rest.len()).unwrap_or_default();
            packed |= inside.contains("packed");
        }
        packed | self.take("__packed")
    }

    /// Skips to behind the parenthesis that closes the one just taken.
    pub fn skip_to_close(&mut self) {
        let mut open = 1usize;
        while open > 0 {
            match self.next() {
                Some("(") => open += 1,
                Some(")") => open -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }
}
