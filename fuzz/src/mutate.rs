//! New inputs of old ones by whole tokens, so that most of them still parse and reach what lies behind the parser.

/// An input like `data`, of at most `limit` bytes; the same for the same seed. What is no text is changed byte by byte.
pub fn mutated(data: &[u8], seed: u64, limit: usize) -> Vec<u8> {
    let mut random = Random(seed ^ 0x9e37_79b9_7f4a_7c15);
    let Ok(text) = std::str::from_utf8(data) else {
        let mut out = data.to_vec();
        for _ in 0..=random.below(3) {
            change_bytes(&mut out, &mut random);
        }
        out.truncate(limit);
        return out;
    };
    let mut tokens: Vec<&str> = tokens(text);
    for _ in 0..=random.below(4) {
        change(&mut tokens, &mut random);
    }
    let mut out = tokens.concat().into_bytes();
    out.truncate(limit);
    out
}

/// Words, numbers, strings, runs of blanks, and every other character on its own.
fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let end = match first {
            c if c.is_alphanumeric() || c == '_' => length(|c| c.is_alphanumeric() || c == '_'),
            c if c.is_whitespace() => length(char::is_whitespace),
            c => c.len_utf8(),
        };
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}

fn change(tokens: &mut Vec<&str>, random: &mut Random) {
    let at = random.below(tokens.len() + 1);
    match random.below(9) {
        0 => tokens.insert(at, WORDS[random.below(WORDS.len())]),
        1 if at < tokens.len() => tokens[at] = WORDS[random.below(WORDS.len())],
        2 if at < tokens.len() => drop(tokens.remove(at)),
        // A piece is doubled, here or elsewhere.
        3 => {
            let piece = piece(tokens, at, random);
            let to = random.below(tokens.len() + 1);
            tokens.splice(to..to, piece);
        }
        // Many times.
        4 => {
            let piece = piece(tokens, at, random);
            let times = 1 + random.below(40);
            let many: Vec<&str> = std::iter::repeat_n(piece, times).flatten().collect();
            tokens.splice(at..at, many);
        }
        5 => {
            let length = piece(tokens, at, random).len();
            drop(tokens.drain(at..at + length));
        }
        // One name becomes another one of the text, everywhere or here.
        6 | 7 => {
            let to = random.below(tokens.len() + 1);
            let (Some(&from), Some(&to)) = (tokens.get(at), tokens.get(to)) else { return };
            let everywhere = random.below(2) == 0;
            if everywhere {
                tokens.iter_mut().filter(|token| **token == from).for_each(|token| *token = to);
            } else {
                tokens[at] = to;
            }
        }
        // What stands between two brackets is put in the same brackets again.
        _ => {
            let brackets = [["(", ")"], ["{", "}"], ["[", "]"], ["<", ">"], ["(SELECT ", ")"], ["if x {", "}"]];
            let [open, close] = brackets[random.below(brackets.len())];
            let length = piece(tokens, at, random).len();
            let times = 1 + random.below(60);
            tokens.splice(at + length..at + length, std::iter::repeat_n(close, times));
            tokens.splice(at..at, std::iter::repeat_n(open, times));
        }
    }
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    const ODD: [u8; 8] = [0, 1, 0x1b, b':', 0x7f, 0x80, 0xfe, 0xff];
    let at = random.below(bytes.len() + 1);
    let odd = ODD[random.below(ODD.len())];
    match random.below(6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = odd,
        2 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(1),
        3 => bytes.insert(at, odd),
        4 if at < bytes.len() => drop(bytes.remove(at)),
        _ => {
            let from = random.below(bytes.len() + 1);
            let piece = bytes[from..(from + random.below(64)).min(bytes.len())].to_vec();
            let to = (at + piece.len()).min(bytes.len());
            bytes.splice(at..to, piece);
        }
    }
}

fn piece<'t>(tokens: &[&'t str], at: usize, random: &mut Random) -> Vec<&'t str> {
    let most = if random.below(4) == 0 { 200 } else { 16 };
    let length = random.below(most).min(tokens.len() - at);
    tokens[at..at + length].to_vec()
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
        usize::try_from(bits % bound.max(1) as u64).unwrap_or(0)
    }
}

/// What Rust, SQL and the libraries are made of, and what is odd.
const WORDS: &[&str] = &[
    "fn f() ",
    "async fn g() ",
    "struct S ",
    "enum E ",
    "impl S ",
    "trait T ",
    "mod m ",
    "use ",
    "pub ",
    "let x = ",
    "mut ",
    "match x ",
    "if let ",
    "else ",
    "for x in ",
    "while ",
    "loop ",
    "break ",
    "continue ",
    "return ",
    "move |x| ",
    "&",
    "&mut ",
    "*",
    "?",
    ".await",
    "..",
    "..=",
    "::",
    "->",
    "=>",
    "=",
    "+=",
    "==",
    "!",
    "#[derive(Clone)] ",
    "#[cfg(test)] ",
    "macro_rules! m ",
    "$x:expr",
    "$($x),*",
    "m!()",
    "dyn ",
    "'a ",
    "'x'",
    "\"",
    "r#\"",
    "\"#",
    "b\"x\"",
    "\\u{1f600}",
    "//",
    "/*",
    "*/",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\u{feff}",
    "\u{202e}",
    "\u{0}",
    "é",
    "e\u{301}",
    "😀",
    "\u{fffc}",
    "sqlx::query(\"",
    "sqlx::query_as!(",
    ".bind(x)",
    ".execute(&mut *tx)",
    ".fetch_one(pool)",
    ".fetch_optional(pool)",
    ".begin()",
    ".commit()",
    ".rollback()",
    "pool",
    "tx",
    "self",
    "Self",
    "Ok(())",
    "Err(e)",
    "Some(x)",
    "None",
    "format!(",
    "concat!(",
    "const Q: &str = ",
    "static L: Mutex<()> = ",
    ".lock()",
    ".clone()",
    ".map(|x| ",
    ".and_then(",
    ".unwrap()",
    "tokio::spawn(async move ",
    "diesel::update(",
    ".filter(",
    ".set(",
    ".get_result(conn)",
    ".for_update()",
    "Entity::find()",
    ".one(db)",
    ".into_active_model()",
    ".save(db)",
    ".send()",
    "SELECT ",
    "UPDATE ",
    "INSERT INTO ",
    "DELETE FROM ",
    "FROM ",
    "WHERE ",
    "SET ",
    "VALUES ",
    "FOR UPDATE ",
    "SKIP LOCKED ",
    "ON CONFLICT DO NOTHING ",
    "RETURNING ",
    "CREATE TABLE t ",
    "ALTER TABLE t ",
    "UNIQUE ",
    "PRIMARY KEY ",
    "REFERENCES ",
    "CHECK ",
    "INDEX ",
    "BEGIN ",
    "COMMIT ",
    "AND ",
    "OR ",
    "NOT ",
    "IN (",
    "EXISTS (",
    "UNION ",
    "CASE WHEN ",
    " THEN ",
    " END ",
    "$1",
    ":x",
    "@x",
    "NULL",
    "'",
    "''",
    "`",
    "--",
    "$$",
    "$tag$",
    "::int",
    "->>",
    "||",
    "COALESCE(",
    "now()",
    "LIMIT 1 ",
    "ORDER BY ",
    "GROUP BY ",
    "JOIN ",
    "WITH x AS (",
    "MERGE INTO ",
    "0",
    "1",
    "-1",
    "18446744073709551616",
    "1e400",
    "[rules]",
    "[[client]]",
    "[[allow]]",
    "[package]",
    "[dependencies]",
    "= [",
    "{ ",
    " }",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ";",
    ":",
    "x",
    "y",
    "t",
];
