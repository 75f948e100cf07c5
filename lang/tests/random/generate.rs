//! Makes random programs.

use super::program::{Comparison, Cond, Expr, I64, Int, Kind, Op, Program, Stmt, Text, U64, Var};

/// How many variables there are of each type.
pub const VARS: usize = 3;
/// Keys of maps are below this, a power of two.
pub const KEYS: i64 = 4;
/// How deep expressions and statements nest.
const DEPTH: u32 = 3;

/// Numbers at the edges of widths and signs.
const EDGES: [i64; 14] = [0, 1, 2, 7, 63, 127, 128, 255, 256, 32_767, 65_536, 2_147_483_647, 2_147_483_648, i64::MAX];
/// Texts that begin alike, stand in each other, or are empty; the longest comes first and says how much variables and keys hold.
const TEXTS: [&str; 8] = ["abcdefgh", "", "a", "abc", "abd", "cde", "gh", "zebra"];
/// Narrow variables, one of each.
const NARROW: [Int; 5] = [
    Int { signed: true, bits: 8 },
    Int { signed: false, bits: 8 },
    Int { signed: false, bits: 16 },
    Int { signed: true, bits: 32 },
    Int { signed: false, bits: 32 },
];
const WIDTHS: [u32; 4] = [8, 16, 32, 64];
const OPS: [Op; 10] = [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Mod, Op::And, Op::Or, Op::Xor, Op::Shl, Op::Shr];
const COMPARISONS: [Comparison; 6] =
    [Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge];

/// Pseudo-random numbers (SplitMix64), the same for a seed on every machine.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A program that assigns all variables, does this and that, and tells what became of everything.
pub fn program(random: &mut Random) -> Program {
    let wide = (0..VARS).flat_map(|number| [Var { ty: I64, number }, Var { ty: U64, number }]);
    let vars: Vec<Var> = wide.chain(NARROW.into_iter().map(|ty| Var { ty, number: 0 })).collect();
    let mut generator = Generator { random, loops: vec![], next_loop: 0 };
    let mixed = generator.mixed(2);
    let mut body: Vec<Stmt> =
        vars.iter().map(|var| Stmt::Assign(*var, Expr::Literal(generator.random.pick(&EDGES)))).collect();
    generator.first_uses(&mut body);
    let length = 3 + generator.random.below(8);
    body.extend((0..length).map(|_| generator.stmt(DEPTH)));
    body.extend(vars.iter().map(|var| Stmt::Print(Expr::Var(*var))));
    for key in 0..KEYS {
        body.push(Stmt::Print(Expr::Map(Box::new(Expr::Literal(key)))));
        body.push(Stmt::Print(Expr::Counted(Box::new(Expr::Literal(key)))));
        body.push(Stmt::PrintText(Text::Map(Box::new(Expr::Literal(key)))));
    }
    body.extend((0..VARS).map(|number| Stmt::PrintText(Text::Var(number))));
    body.extend(["pair", "by"].into_iter().chain(Kind::ALL.map(Kind::name)).map(Stmt::PrintAll));
    Program { mixed, body }
}

struct Generator<'a> {
    random: &'a mut Random,
    /// The loops around the place at hand.
    loops: Vec<usize>,
    next_loop: usize,
}

impl Generator<'_> {
    /// From these statements on the types of all variables and maps are known.
    fn first_uses(&mut self, body: &mut Vec<Stmt>) {
        let longest = || Text::Literal(TEXTS[0]);
        body.push(Stmt::SetMap(Expr::Literal(0), self.leaf()));
        body.push(Stmt::Count(Expr::Literal(0)));
        body.extend((0..VARS).map(|number| Stmt::SetText(number, longest())));
        body.extend((0..VARS).map(|number| Stmt::SetParts(number, self.leaf(), self.leaf())));
        body.push(Stmt::SetTextMap(Expr::Literal(0), longest()));
        body.push(Stmt::SetPair(Expr::Cast(I64, Box::new(Expr::Literal(0))), longest(), self.leaf()));
        body.push(Stmt::CountText(longest()));
        for kind in Kind::ALL {
            body.push(Stmt::Aggregate(kind, Expr::Literal(0), self.leaf()));
        }
    }

    /// What the macro makes of its two parameters.
    fn mixed(&mut self, depth: u32) -> Expr {
        match self.random.below(if depth == 0 { 2 } else { 6 }) {
            0 => Expr::Param(0),
            1 => Expr::Param(1),
            2 => Expr::Neg(Box::new(self.mixed(depth - 1))),
            3 => Expr::Not(Box::new(self.mixed(depth - 1))),
            _ => {
                let op = self.random.pick(&[Op::Add, Op::Sub, Op::Mul, Op::And, Op::Or, Op::Xor]);
                Expr::Binary(op, Box::new(self.mixed(depth - 1)), Box::new(self.mixed(depth - 1)))
            }
        }
    }

    fn var(&mut self) -> Var {
        if self.random.below(4) == 0 {
            return Var { ty: self.random.pick(&NARROW), number: 0 };
        }
        let ty = if self.random.below(2) == 0 { I64 } else { U64 };
        Var { ty, number: self.random.below(VARS as u64) as usize }
    }

    fn signed_var(&mut self) -> Var {
        Var { ty: I64, number: self.random.below(VARS as u64) as usize }
    }

    fn body(&mut self, depth: u32) -> Vec<Stmt> {
        (0..1 + self.random.below(3)).map(|_| self.stmt(depth)).collect()
    }

    fn looped(&mut self, depth: u32) -> (usize, i64, Vec<Stmt>) {
        let (number, end) = (self.next_loop, 1 + self.random.below(5) as i64);
        self.next_loop += 1;
        self.loops.push(number);
        let body = self.body(depth);
        self.loops.pop();
        (number, end, body)
    }

    fn stmt(&mut self, depth: u32) -> Stmt {
        if self.random.below(2) == 0 {
            return self.wider(depth);
        }
        match self.random.below(if depth == 0 { 10 } else { 14 }) {
            0 | 1 => {
                let var = self.var();
                Stmt::Assign(var, self.expr(depth))
            }
            2 => {
                let var = self.signed_var();
                Stmt::AddTo(var, self.signed(depth))
            }
            3 => Stmt::Step(self.signed_var(), self.random.below(2) == 0),
            4 => Stmt::SetMap(self.key(), self.expr(depth)),
            5 => Stmt::Delete(self.key()),
            6 => Stmt::Count(self.key()),
            7 => Stmt::Print(self.expr(depth)),
            8 => Stmt::Printf(self.signed(depth), self.cast(U64, depth), self.cast(U64, depth)),
            9 => Stmt::PrintTuple(self.signed(depth), self.cast(U64, depth)),
            10 => Stmt::If(self.cond(depth - 1), self.body(depth - 1), self.body(depth - 1)),
            11 => {
                let (number, end, body) = self.looped(depth - 1);
                Stmt::For(number, end, body)
            }
            12 => {
                let (number, end, body) = self.looped(depth - 1);
                Stmt::While(number, end, body)
            }
            _ => Stmt::Unroll(1 + self.random.below(3) as i64, self.body(depth - 1)),
        }
    }

    /// A statement about texts, tuples, keys of two parts or aggregations.
    fn wider(&mut self, depth: u32) -> Stmt {
        let number = self.random.below(VARS as u64) as usize;
        match self.random.below(12) {
            0 => Stmt::SetText(number, self.short(depth.min(1))),
            1 => Stmt::SetTextMap(self.key(), self.short(0)),
            2 => Stmt::SetPair(self.key_part(), self.short(0), self.expr(depth.min(1))),
            3 => Stmt::SetParts(number, self.expr(depth.min(1)), self.expr(depth.min(1))),
            4 | 5 => Stmt::Aggregate(self.random.pick(&Kind::ALL), self.key(), self.expr(depth.min(1))),
            6 => Stmt::CountText(self.short(0)),
            7 => Stmt::Raise(self.signed_var(), self.signed(depth.min(1))),
            8 => Stmt::PrintText(self.text(depth.min(1))),
            9 => Stmt::PrintfText(self.text(0), self.text(0), self.short(depth.min(1))),
            10 => Stmt::PrintNested(self.signed(depth.min(1)), self.short(0), self.cast(U64, depth.min(1))),
            _ => Stmt::Print(self.about_text(depth.min(1))),
        }
    }

    /// A text that fits a variable.
    fn short(&mut self, depth: u32) -> Text {
        match self.random.below(if depth == 0 { 4 } else { 5 }) {
            0 | 1 => Text::Literal(self.random.pick(&TEXTS)),
            2 => Text::Var(self.random.below(VARS as u64) as usize),
            3 => Text::Map(Box::new(Expr::Literal(self.random.below(KEYS as u64) as i64))),
            _ => Text::Choice(
                Box::new(self.cond(depth - 1)),
                Box::new(self.short(depth - 1)),
                Box::new(self.short(depth - 1)),
            ),
        }
    }

    fn text(&mut self, depth: u32) -> Text {
        match self.random.below(4) {
            0 => Text::Concat(Box::new(self.short(0)), Box::new(self.short(0))),
            _ => self.short(depth),
        }
    }

    /// A number that a text, a tuple or an aggregation tells.
    fn about_text(&mut self, depth: u32) -> Expr {
        match self.random.below(6) {
            0 => Expr::Length(Box::new(self.text(0))),
            1 => Expr::Place(Box::new(self.short(0)), Box::new(Text::Literal(self.random.pick(&TEXTS)))),
            2 => Expr::Pair(Box::new(self.key_part()), Box::new(self.short(0))),
            3 => Expr::Part(self.random.below(VARS as u64) as usize, self.random.below(2) == 0),
            4 => Expr::Total(self.random.pick(&Kind::NUMBERS), Box::new(self.key())),
            _ => Expr::Call(Box::new(self.signed(depth.min(1))), Box::new(self.signed(depth.min(1)))),
        }
    }

    /// A key that is a part of one: its type is not widened, so that it is always an `int64`.
    fn key_part(&mut self) -> Expr {
        Expr::Cast(I64, Box::new(self.key()))
    }

    /// An `int64` below [`KEYS`].
    fn key(&mut self) -> Expr {
        match self.random.below(2) {
            0 => Expr::Literal(self.random.below(KEYS as u64) as i64),
            _ => {
                let masked = Expr::Binary(Op::And, Box::new(self.leaf()), Box::new(Expr::Literal(KEYS - 1)));
                Expr::Cast(I64, Box::new(masked))
            }
        }
    }

    fn cast(&mut self, ty: Int, depth: u32) -> Expr {
        Expr::Cast(ty, Box::new(self.expr(depth)))
    }

    fn signed(&mut self, depth: u32) -> Expr {
        self.cast(I64, depth)
    }

    /// A value that is no constant.
    fn leaf(&mut self) -> Expr {
        match self.random.below(4) {
            0 if !self.loops.is_empty() => Expr::Loop(self.random.pick(&self.loops.clone())),
            1 => Expr::Map(Box::new(Expr::Literal(self.random.below(KEYS as u64) as i64))),
            _ => Expr::Var(self.var()),
        }
    }

    fn expr(&mut self, depth: u32) -> Expr {
        if depth == 0 {
            return self.leaf();
        }
        match self.random.below(10) {
            0 => self.leaf(),
            8 | 9 => self.about_text(depth - 1),
            1 => {
                let ty = Int { signed: self.random.below(2) == 0, bits: self.random.pick(&WIDTHS) };
                self.cast(ty, depth - 1)
            }
            2 => Expr::Neg(Box::new(self.expr(depth - 1))),
            3 => Expr::Not(Box::new(self.expr(depth - 1))),
            4 => Expr::Choice(
                Box::new(self.cond(depth - 1)),
                Box::new(self.signed(depth - 1)),
                Box::new(self.signed(depth - 1)),
            ),
            5 => Expr::Counted(Box::new(self.key())),
            _ => self.binary(depth - 1),
        }
    }

    fn binary(&mut self, depth: u32) -> Expr {
        let op = self.random.pick(&OPS);
        let a = self.expr(depth);
        let b = match self.random.below(2) {
            0 => Expr::Literal(self.random.pick(&EDGES)),
            _ => self.expr(depth),
        };
        let masked = |op, b: Expr, mask| match b {
            Expr::Literal(value) if op == Op::Or => Expr::Literal(value | mask),
            Expr::Literal(value) => Expr::Literal(value & mask),
            b => Expr::Binary(op, Box::new(b), Box::new(Expr::Literal(mask))),
        };
        let b = match op {
            Op::Div | Op::Mod => masked(Op::Or, b, 1),
            Op::Shl | Op::Shr => masked(Op::And, b, 63),
            _ => b,
        };
        Expr::Binary(op, Box::new(a), Box::new(b))
    }

    fn cond(&mut self, depth: u32) -> Cond {
        match self.random.below(if depth == 0 { 3 } else { 9 }) {
            0 => Cond::HasKey(self.key()),
            6 => Cond::Same(self.short(0), self.short(0)),
            7 => Cond::Contains(self.short(0), Text::Literal(self.random.pick(&TEXTS))),
            8 => Cond::Begins(self.short(0), self.short(0), 1 + self.random.below(6) as u32),
            3 => Cond::Not(Box::new(self.cond(depth - 1))),
            4 => Cond::Both(Box::new(self.cond(depth - 1)), Box::new(self.cond(depth - 1))),
            5 => Cond::Either(Box::new(self.cond(depth - 1)), Box::new(self.cond(depth - 1))),
            _ => {
                let b = match self.random.below(3) {
                    0 => Expr::Literal(self.random.pick(&EDGES)),
                    _ => self.expr(depth),
                };
                Cond::Compare(self.random.pick(&COMPARISONS), self.expr(depth), b)
            }
        }
    }
}
