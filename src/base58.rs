//! Base 58 of integers, as py2p writes its ids and times: no zero padding, zero is `1`.
//!
//! Digests are on the path of every message and have code of their own; the rest is bs58's.

/// The longest numeral of a 384-bit number.
pub(crate) const DIGEST_LEN: usize = 66;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The digit that each character stands for; [`FOREIGN`] for what is none.
const DIGITS: [u8; 256] = digits();
const FOREIGN: u8 = u8::MAX;
/// Bits that no digit has, and [`FOREIGN`] does.
const NOT_A_DIGIT: u8 = !63;

/// The alphabet in a length that needs no check of the index.
const CHARACTERS: [u8; 64] = characters();

/// Digests are converted in groups of ten digits, the most that fit into 64 bits.
const TEN_DIGITS: u64 = 58u64.pow(10);
const FIVE_DIGITS: u64 = 58u64.pow(5);

/// Groups of ten digits in the numeral of a digest, the first of them never full.
const GROUPS: usize = 7;
/// All digits of those groups, leading zeros included.
const SPELLED: usize = 10 * GROUPS;

/// When encoding, a digest is eight limbs of 48 bits: eight products of a limb and a group stay
/// below 2^110, so their quotient by [`TEN_DIGITS`] fits into 64 bits.
const SHORT_LIMBS: usize = 8;
/// When decoding, it is six limbs of 64 bits: seven products stay below 2^126.
const LIMBS: usize = 6;

/// What each limb of 48 bits is worth, in groups of ten digits; limbs and groups most significant
/// first.
const LIMB_WORTH: [[u64; GROUPS]; SHORT_LIMBS] = limb_worth();
/// What each group of ten digits is worth, in limbs of 64 bits; the least significant first.
const GROUP_WORTH: [[u64; LIMBS]; GROUPS] = group_worth();

/// The longest time text that is read. Real ones have six characters; py2p has no limit.
const MAX_TIME: usize = 64;

/// The longest text that [`decode`] reads: its cost is quadratic.
#[cfg(test)]
const MAX_DECODED: usize = 4096;

const fn digits() -> [u8; 256] {
    let mut digits = [FOREIGN; 256];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        digits[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
}

const fn characters() -> [u8; 64] {
    let mut characters = [b'1'; 64];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        characters[digit] = ALPHABET[digit];
        digit += 1;
    }
    characters
}

const fn limb_worth() -> [[u64; GROUPS]; SHORT_LIMBS] {
    let mut table = [[0; GROUPS]; SHORT_LIMBS];
    table[SHORT_LIMBS - 1][GROUPS - 1] = 1;
    let mut limb = SHORT_LIMBS - 1;
    while limb > 0 {
        let mut carry = 0;
        let mut group = GROUPS;
        while group > 0 {
            group -= 1;
            let product = ((table[limb][group] as u128) << 48) + carry;
            table[limb - 1][group] = (product % TEN_DIGITS as u128) as u64;
            carry = product / TEN_DIGITS as u128;
        }
        limb -= 1;
    }
    table
}

const fn group_worth() -> [[u64; LIMBS]; GROUPS] {
    let mut table = [[0; LIMBS]; GROUPS];
    table[0][0] = 1;
    let mut group = 1;
    while group < GROUPS {
        let mut carry = 0;
        let mut limb = 0;
        while limb < LIMBS {
            let product = table[group - 1][limb] as u128 * TEN_DIGITS as u128 + carry;
            table[group][limb] = product as u64;
            carry = product >> 64;
            limb += 1;
        }
        group += 1;
    }
    table
}

/// The numeral of a big-endian digest: left-aligned text and its length.
pub(crate) fn encode_digest(digest: &[u8; 48]) -> ([u8; DIGEST_LEN], u8) {
    left_aligned(&spell(&groups(digest)))
}

/// The digest in groups of ten digits, most significant first.
fn groups(digest: &[u8; 48]) -> [u64; GROUPS] {
    let mut sums = [0u128; GROUPS];
    let (limbs, _) = digest.as_chunks::<6>();
    for (&[a, b, c, d, e, f], worth) in limbs.iter().zip(&LIMB_WORTH) {
        let limb = u128::from(u64::from_be_bytes([0, 0, a, b, c, d, e, f]));
        for (sum, worth) in sums.iter_mut().zip(worth) {
            *sum += limb * u128::from(*worth);
        }
    }
    // First all carries at once, none waiting for another; then what is left over, which is small.
    let mut groups = [0; GROUPS];
    let mut carry = 0;
    for (group, &sum) in groups.iter_mut().zip(&sums).rev() {
        let (quotient, rest) = nearly_divided(sum);
        *group = rest + carry;
        carry = quotient;
    }
    let mut carry = 0;
    for group in groups.iter_mut().rev() {
        let sum = *group + carry;
        carry = sum / TEN_DIGITS;
        *group = sum % TEN_DIGITS;
    }
    groups
}

/// Quotient and rest of a division by [`TEN_DIGITS`], for numbers below 2^110. The quotient may be
/// too small by one: then the rest is too large by one divisor.
fn nearly_divided(number: u128) -> (u64, u64) {
    const RECIPROCAL: u128 = (1 << 122) / TEN_DIGITS as u128;
    let quotient = (((number >> 46) * RECIPROCAL) >> 76) as u64;
    // Below 2^60, so the lower halves tell it all.
    let rest = (number as u64).wrapping_sub(quotient.wrapping_mul(TEN_DIGITS));
    (quotient, rest)
}

/// The characters of all groups, leading zeros included.
fn spell(groups: &[u64; GROUPS]) -> [u8; SPELLED] {
    let mut text = [0; SPELLED];
    let (tens, _) = text.as_chunks_mut::<10>();
    for (ten, group) in tens.iter_mut().zip(groups) {
        *ten = spell_ten(*group);
    }
    text
}

fn spell_ten(number: u64) -> [u8; 10] {
    let [a, b, c, d, e] = spell_five(number / FIVE_DIGITS);
    let [f, g, h, i, j] = spell_five(number % FIVE_DIGITS);
    [a, b, c, d, e, f, g, h, i, j]
}

/// Five digits without a division: the number becomes a fraction, one digit before the point and
/// four behind it, and each multiplication by 58 moves the next one before the point. Rounding up
/// the factor makes the fraction too large by less than 2^-27, which changes no digit: the last
/// place is worth more than 2^-24.
fn spell_five(number: u64) -> [u8; 5] {
    const POINT: u32 = 57;
    const FACTOR: u64 = (1 << POINT) / 58u64.pow(4) + 1;
    let mut fraction = number * FACTOR;
    let mut text = [0; 5];
    for character in &mut text {
        // Less than 58: the mask only says so to the compiler.
        *character = CHARACTERS[(fraction >> POINT) as usize % 64];
        fraction = (fraction % (1 << POINT)) * 58;
    }
    text
}

fn left_aligned(text: &[u8; SPELLED]) -> ([u8; DIGEST_LEN], u8) {
    // At least one character stays: the numeral of zero. At most 66 do, for 58^66 > 2^384.
    let zeros = text.iter().take_while(|&&character| character == b'1').count();
    let numeral = &text[zeros.clamp(SPELLED - DIGEST_LEN, SPELLED - 1)..];
    let mut aligned = [0; DIGEST_LEN];
    aligned[..numeral.len()].copy_from_slice(numeral);
    (aligned, numeral.len() as u8)
}

/// Reads the canonical numeral of a 384-bit number, as a big-endian digest.
pub(crate) fn decode_digest(text: &[u8]) -> Option<[u8; 48]> {
    if text.is_empty() || text.len() > DIGEST_LEN || (text[0] == b'1' && text.len() > 1) {
        return None;
    }
    let mut groups = [0; GROUPS];
    let mut foreign = 0;
    let (first, tens) = text.split_at(text.len() % 10);
    let (tens, _) = tens.as_chunks::<10>();
    for (group, ten) in groups.iter_mut().zip(tens.iter().rev()) {
        *group = number(ten, &mut foreign);
    }
    if let Some(group) = groups.get_mut(tens.len()) {
        *group = number(first, &mut foreign);
    }
    let (digest, carry) = weigh(&groups);
    (carry == 0 && foreign & NOT_A_DIGIT == 0).then_some(digest)
}

/// The digest that groups of ten digits stand for, least significant first, and what exceeds it.
fn weigh(groups: &[u64; GROUPS]) -> ([u8; 48], u128) {
    let mut digest = [0; 48];
    let (chunks, _) = digest.as_chunks_mut::<8>();
    let mut carry = 0;
    for (limb, chunk) in chunks.iter_mut().rev().enumerate() {
        // Ten digits are less than 64 bits: earlier groups are worth less than this limb.
        let mut sum = carry;
        for (group, worth) in groups.iter().zip(&GROUP_WORTH).skip(limb) {
            sum += u128::from(*group) * u128::from(worth[limb]);
        }
        *chunk = (sum as u64).to_be_bytes();
        carry = sum >> 64;
    }
    (digest, carry)
}

/// The value of at most ten characters; the bits of all digits are gathered, for one check at the
/// end.
fn number(text: &[u8], foreign: &mut u8) -> u64 {
    text.iter().fold(0, |value, &character| {
        let digit = DIGITS[usize::from(character)];
        *foreign |= digit;
        value * 58 + u64::from(digit)
    })
}

fn digit(character: u8) -> Option<u64> {
    let digit = DIGITS[usize::from(character)];
    (digit != FOREIGN).then_some(u64::from(digit))
}

/// The numeral of a big-endian number of any length.
pub(crate) fn encode(number: &[u8]) -> String {
    // bs58 spells out leading zero bytes; a number has none.
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    match &number[zeros..] {
        [] => "1".to_owned(),
        number => bs58::encode(number).into_string(),
    }
}

/// Reads a numeral of any length, leniently like py2p: leading `1`s count for nothing, an empty
/// text is zero. The bytes are big endian without leading zeros.
#[cfg(test)]
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > MAX_DECODED {
        return None;
    }
    bs58::decode(without_padding(text)).into_vec().ok()
}

/// The numeral of a 64-bit number, on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numeral {
    text: [u8; 11],
    start: u8,
}

impl Numeral {
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[usize::from(self.start)..]
    }
}

pub(crate) fn encode_u64(number: u64) -> Numeral {
    let mut text = [b'1'; 11];
    let (first, rest) = (number / TEN_DIGITS, number % TEN_DIGITS);
    text[0] = CHARACTERS[first as usize % 64];
    text[1..6].copy_from_slice(&spell_five(rest / FIVE_DIGITS));
    text[6..].copy_from_slice(&spell_five(rest % FIVE_DIGITS));
    // The last character stays: the numeral of zero.
    let zeros = text[..10].iter().take_while(|&&character| character == b'1').count();
    Numeral { text, start: zeros as u8 }
}

/// Reads a time: its seconds, `u64::MAX` for more, and its canonical text, which is what py2p
/// hashes and relays.
pub(crate) fn parse_time(text: &[u8]) -> Option<(u64, &[u8])> {
    if text.len() > MAX_TIME {
        return None;
    }
    let canonical = without_padding(text);
    let mut seconds = 0u64;
    for &character in canonical {
        seconds = seconds.saturating_mul(58).saturating_add(digit(character)?);
    }
    Some((seconds, if canonical.is_empty() { b"1" } else { canonical }))
}

fn without_padding(text: &[u8]) -> &[u8] {
    let padding = text.iter().take_while(|&&character| character == b'1').count();
    &text[padding..]
}
