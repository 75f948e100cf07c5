//! The words of the language: what the scanner makes and the parser reads.
//!
//! A token is its kind and its place; the text of names, numbers and strings is looked up in the script when it is needed, so
//! that tokens are small and free to copy.

use crate::ast::BinaryOp;
use crate::span::Span;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// The kinds of token.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// What messages call it: the text in quotes, or what stands for it.
            pub fn describe(self) -> &'static str {
                match self {
                    $(Kind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// The end of the text.
    End => "the end of the script",
    /// A character no token starts with.
    Unknown => "an unknown character",
    /// A name or a keyword.
    Ident => "a name",
    /// An integer with its suffix.
    Int => "a number",
    /// A string with its quotes; the closing one is missing where the line ends first.
    Str => "a string",
    /// `$name`
    Variable => "a variable",
    /// `$1`
    Positional => "a positional parameter",
    /// `$#`
    PositionalCount => "'$#'",
    /// `@` or `@name`
    Map => "a map",
    /// `(`
    LParen => "'('",
    /// `)`
    RParen => "')'",
    /// `[`
    LBracket => "'['",
    /// `]`
    RBracket => "']'",
    /// `{`
    LBrace => "'{'",
    /// `}`
    RBrace => "'}'",
    /// `;`
    Semicolon => "';'",
    /// `,`
    Comma => "','",
    /// `:`
    Colon => "':'",
    /// `?`
    Question => "'?'",
    /// `.`
    Dot => "'.'",
    /// `..`
    DotDot => "'..'",
    /// `->`
    Arrow => "'->'",
    /// `=`
    Assign => "'='",
    /// `+=`
    PlusAssign => "'+='",
    /// `-=`
    MinusAssign => "'-='",
    /// `*=`
    StarAssign => "'*='",
    /// `/=`
    SlashAssign => "'/='",
    /// `%=`
    PercentAssign => "'%='",
    /// `&=`
    AmpAssign => "'&='",
    /// `|=`
    PipeAssign => "'|='",
    /// `^=`
    CaretAssign => "'^='",
    /// `<<=`
    ShlAssign => "'<<='",
    /// `>>=`
    ShrAssign => "'>>='",
    /// `++`
    PlusPlus => "'++'",
    /// `--`
    MinusMinus => "'--'",
    /// `+`
    Plus => "'+'",
    /// `-`
    Minus => "'-'",
    /// `*`
    Star => "'*'",
    /// `/`
    Slash => "'/'",
    /// `%`
    Percent => "'%'",
    /// `&`
    Amp => "'&'",
    /// `|`
    Pipe => "'|'",
    /// `^`
    Caret => "'^'",
    /// `~`
    Tilde => "'~'",
    /// `!`
    Bang => "'!'",
    /// `&&`
    AmpAmp => "'&&'",
    /// `||`
    PipePipe => "'||'",
    /// `==`
    EqEq => "'=='",
    /// `!=`
    NotEq => "'!='",
    /// `<`
    Lt => "'<'",
    /// `<=`
    Le => "'<='",
    /// `>`
    Gt => "'>'",
    /// `>=`
    Ge => "'>='",
    /// `<<`
    Shl => "'<<'",
    /// `>>`
    Shr => "'>>'",
}

impl Kind {
    /// The binary operator it writes, if any.
    pub fn binary(self) -> Option<BinaryOp> {
        Some(match self {
            Kind::PipePipe => BinaryOp::Or,
            Kind::AmpAmp => BinaryOp::And,
            Kind::Pipe => BinaryOp::BitOr,
            Kind::Caret => BinaryOp::BitXor,
            Kind::Amp => BinaryOp::BitAnd,
            Kind::EqEq => BinaryOp::Eq,
            Kind::NotEq => BinaryOp::Ne,
            Kind::Lt => BinaryOp::Lt,
            Kind::Le => BinaryOp::Le,
            Kind::Gt => BinaryOp::Gt,
            Kind::Ge => BinaryOp::Ge,
            Kind::Shl => BinaryOp::Shl,
            Kind::Shr => BinaryOp::Shr,
            Kind::Plus => BinaryOp::Add,
            Kind::Minus => BinaryOp::Sub,
            Kind::Star => BinaryOp::Mul,
            Kind::Slash => BinaryOp::Div,
            Kind::Percent => BinaryOp::Mod,
            _ => return None,
        })
    }

    /// The operator of the compound assignment it writes, if any.
    pub fn compound(self) -> Option<BinaryOp> {
        Some(match self {
            Kind::PlusAssign => BinaryOp::Add,
            Kind::MinusAssign => BinaryOp::Sub,
            Kind::StarAssign => BinaryOp::Mul,
            Kind::SlashAssign => BinaryOp::Div,
            Kind::PercentAssign => BinaryOp::Mod,
            Kind::AmpAssign => BinaryOp::BitAnd,
            Kind::PipeAssign => BinaryOp::BitOr,
            Kind::CaretAssign => BinaryOp::BitXor,
            Kind::ShlAssign => BinaryOp::Shl,
            Kind::ShrAssign => BinaryOp::Shr,
            _ => return None,
        })
    }
}

/// How tightly a binary operator binds, from 1 (`||`) to 10 (`*`).
pub fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::BitOr => 3,
        BinaryOp::BitXor => 4,
        BinaryOp::BitAnd => 5,
        BinaryOp::Eq | BinaryOp::Ne => 6,
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => 7,
        BinaryOp::Shl | BinaryOp::Shr => 8,
        BinaryOp::Add | BinaryOp::Sub => 9,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => 10,
    }
}

/// How a binary operator is written.
pub fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::BitAnd => "&",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::Shl => "<<",
        BinaryOp::Shr => ">>",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "%",
    }
}
