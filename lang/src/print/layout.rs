//! Lines: indentation, blank lines, and where comments go.
//!
//! A remark (comment, directive or left-out line) is printed before the first item or statement that starts after it. One that stood behind something on
//! its line stays there; directives and left-out lines keep the margin.

use crate::parse::Remark;
use crate::span::Span;

const INDENT: &str = "  ";

/// Collects the printed text.
pub(super) struct Printer<'a> {
    out: String,
    depth: usize,
    /// What is printed comes from here; empty where there is only a tree.
    text: &'a str,
    remarks: std::iter::Peekable<std::vec::IntoIter<Remark>>,
    /// Up to where the text has been printed.
    done: usize,
}

impl<'a> Printer<'a> {
    pub(super) fn new(text: &'a str, remarks: Vec<Remark>) -> Self {
        Self { out: String::new(), depth: 0, text, remarks: remarks.into_iter().peekable(), done: 0 }
    }

    pub(super) fn finish(mut self) -> String {
        self.remarks_before(u32::MAX);
        self.out
    }

    pub(super) fn indent(&mut self) {
        self.depth += 1;
    }

    pub(super) fn dedent(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Appends to the line, indented if it is a new one.
    pub(super) fn push(&mut self, text: &str) {
        if self.out.ends_with('\n') || self.out.is_empty() {
            for _ in 0..self.depth {
                self.out.push_str(INDENT);
            }
        }
        self.out.push_str(text);
    }

    /// Ends the line; the text has been printed up to `done`.
    pub(super) fn end_line(&mut self, done: u32) {
        self.out.push('\n');
        self.done = self.done.max(done as usize);
    }

    /// What has been printed so far, for a look at what a piece begins with.
    pub(super) fn mark(&self) -> usize {
        self.out.len()
    }

    /// What was printed since.
    pub(super) fn since(&self, mark: usize) -> &str {
        self.out.get(mark..).unwrap_or_default()
    }

    /// Where the next piece starts, past the indentation.
    pub(super) fn line_mark(&mut self) -> usize {
        self.push("");
        self.mark()
    }

    /// Takes back what was printed since.
    pub(super) fn forget(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    /// The script's own text of a place.
    pub(super) fn text_of(&self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Encloses what was printed since in parentheses.
    pub(super) fn enclose(&mut self, mark: usize) {
        self.out.insert(mark, '(');
        self.out.push(')');
    }

    /// Leaves one blank line where the text has any before `next`.
    pub(super) fn keep_blank_line(&mut self, next: u32) {
        let between = self.text.get(self.done..next as usize).unwrap_or_default();
        if blank_line_in(between) {
            self.blank_line();
        }
    }

    /// Separates two items of the top level.
    pub(super) fn separate(&mut self, next: u32, close: bool) {
        if close || self.after_remark(next) { self.keep_blank_line(next) } else { self.blank_line() }
    }

    /// Whether a comment was the last thing printed, which then belongs to what follows.
    fn after_remark(&self, next: u32) -> bool {
        let last = self.out.lines().next_back().unwrap_or_default().trim_start();
        let is_remark = last.starts_with(['#']) || last.starts_with("//") || last.ends_with("*/");
        is_remark && self.text.get(self.done..next as usize).is_some()
    }

    fn blank_line(&mut self) {
        let opens = self.out.ends_with("{\n") || self.out.ends_with("\n\n");
        if !self.out.is_empty() && !opens {
            self.out.push('\n');
        }
    }

    /// Prints the remarks that start before `next`.
    pub(super) fn remarks_before(&mut self, next: u32) {
        while let Some(remark) = self.remarks.next_if(|remark| remark.span.start < next) {
            self.remark(remark);
        }
    }

    /// Drops the remarks inside of something that is printed as it is.
    pub(super) fn skip_remarks(&mut self, span: Span) {
        while self.remarks.next_if(|remark| remark.span.start >= span.start && remark.span.end <= span.end).is_some() {}
    }

    fn remark(&mut self, remark: Remark) {
        let text = self.without_blanks_behind(remark.span);
        let between = self.text.get(self.done..remark.span.start as usize);
        let same_line = between.is_some_and(|between| !between.contains('\n')) && self.done > 0;
        if remark.at_margin {
            if !self.left_out_goes_on(between) {
                self.keep_blank_line(remark.span.start);
            }
            self.out.push_str(text);
        } else if same_line && self.ends_a_line() && !text.contains('\n') {
            self.out.pop();
            self.out.push(' ');
            self.out.push_str(text);
        } else {
            self.keep_blank_line(remark.span.start);
            self.push(text);
        }
        self.end_line(remark.span.end);
    }

    /// Whether a line was just ended, and no blank one has been put behind it for what comes next.
    fn ends_a_line(&self) -> bool {
        self.out.ends_with('\n') && !self.out.ends_with("\n\n")
    }

    /// A text up to its last blanks. Behind a backslash the empty line stays that it joins.
    fn without_blanks_behind(&self, span: Span) -> &'a str {
        let text = self.text_of(span).trim_end();
        let behind = self.text.get(span.start as usize + text.len()..).unwrap_or_default();
        let inside = behind.get(..span.end as usize - span.start as usize - text.len()).unwrap_or_default();
        let kept = inside.find('\n').filter(|_| text.ends_with('\\')).map_or(0, |end| end + 1);
        self.text.get(span.start as usize..span.start as usize + text.len() + kept).unwrap_or(text)
    }

    /// Whether a line at the margin follows the one before directly.
    fn left_out_goes_on(&self, between: Option<&str>) -> bool {
        between == Some("\n")
    }
}

/// Whether a line of nothing but blanks stands between two line ends.
fn blank_line_in(text: &str) -> bool {
    let mut lines = text.split('\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some() && line.trim().is_empty() {
            return true;
        }
    }
    false
}
