//! Base 58 of integers, as py2p writes its ids and times: no zero padding, zero is `1`.
//!
//! Digests are on the path of every message and have code of their own; the rest is bs58's.

/// The longest numeral of a 384-bit number.
pub(crate) const DIGEST_LEN: usize = 66;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The digit that each character stands for; [`FOREIGN`] for what is none.
const DIGITS: [u8; 256] = digits();
const FOREIGN: u8 = u8::MAX;

/// Five digits fit into 30 bits, so that six products with 32 bits can be added up in 64.
const FIVE_DIGITS: u64 = 58u64.pow(5);
const TEN_DIGITS: u64 = 58u64.pow(10);

/// 32-bit limbs of a digest, groups of five digits of its numeral: most significant first.
const LIMBS: usize = 12;
const GROUPS: usize = 14;

/// What each limb of a digest is worth, in groups of five digits.
const WORTH: [[u32; GROUPS]; LIMBS] = worth();

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

const fn worth() -> [[u32; GROUPS]; LIMBS] {
    let mut table = [[0; GROUPS]; LIMBS];
    table[LIMBS - 1][GROUPS - 1] = 1;
    let mut limb = LIMBS - 1;
    while limb > 0 {
        let mut carry = 0;
        let mut group = GROUPS;
        while group > 0 {
            group -= 1;
            let product = ((table[limb][group] as u64) << 32) + carry;
            table[limb - 1][group] = (product % FIVE_DIGITS) as u32;
            carry = product / FIVE_DIGITS;
        }
        limb -= 1;
    }
    table
}

/// The numeral of a big-endian digest: left-aligned text and its length.
pub(crate) fn encode_digest(digest: &[u8; 48]) -> ([u8; DIGEST_LEN], u8) {
    let mut groups = [0u64; GROUPS];
    let (high, low) = digest.split_at(24);
    let (high_worth, low_worth) = WORTH.split_at(6);
    add_up(&mut groups, high, high_worth);
    // Upwards no carry waits for another; what is left over each time is small.
    (1..GROUPS).for_each(|low| carry(&mut groups, low));
    add_up(&mut groups, low, low_worth);
    (1..GROUPS).rev().for_each(|low| carry(&mut groups, low));
    left_aligned(&spell(&groups))
}

/// Adds six limbs.
fn add_up(groups: &mut [u64; GROUPS], limbs: &[u8], worths: &[[u32; GROUPS]]) {
    let (limbs, _) = limbs.as_chunks::<4>();
    for (limb, worth) in limbs.iter().zip(worths) {
        let limb = u64::from(u32::from_be_bytes(*limb));
        for (group, worth) in groups.iter_mut().zip(worth) {
            *group += limb * u64::from(*worth);
        }
    }
}

fn carry(groups: &mut [u64; GROUPS], low: usize) {
    groups[low - 1] += groups[low] / FIVE_DIGITS;
    groups[low] %= FIVE_DIGITS;
}

/// The characters of all groups, leading zeros included.
fn spell(groups: &[u64; GROUPS]) -> [u8; 5 * GROUPS] {
    let mut text = [0; 5 * GROUPS];
    let (fives, _) = text.as_chunks_mut::<5>();
    for (five, &group) in fives.iter_mut().zip(groups) {
        let mut rest = group as u32;
        for character in five.iter_mut().rev() {
            *character = ALPHABET[(rest % 58) as usize];
            rest /= 58;
        }
    }
    text
}

fn left_aligned(text: &[u8; 5 * GROUPS]) -> ([u8; DIGEST_LEN], u8) {
    // At least one character stays: the numeral of zero. At most 66 do, for 58^66 > 2^384.
    let zeros = text.iter().take_while(|&&character| character == b'1').count();
    let numeral = &text[zeros.clamp(text.len() - DIGEST_LEN, text.len() - 1)..];
    let mut aligned = [0; DIGEST_LEN];
    aligned[..numeral.len()].copy_from_slice(numeral);
    (aligned, numeral.len() as u8)
}

/// Reads the canonical numeral of a 384-bit number, as a big-endian digest.
pub(crate) fn decode_digest(text: &[u8]) -> Option<[u8; 48]> {
    if text.is_empty() || text.len() > DIGEST_LEN || (text[0] == b'1' && text.len() > 1) {
        return None;
    }
    // 64-bit limbs, least significant first.
    let mut limbs = [0u64; 6];
    let (first, tens) = text.split_at(text.len() % 10);
    limbs[0] = number(first)?;
    for ten in tens.chunks_exact(10) {
        let mut carry = u128::from(number(ten)?);
        for limb in &mut limbs {
            carry += u128::from(*limb) * u128::from(TEN_DIGITS);
            *limb = carry as u64;
            carry >>= 64;
        }
        if carry != 0 {
            return None;
        }
    }
    let mut digest = [0; 48];
    let (chunks, _) = digest.as_chunks_mut::<8>();
    for (chunk, limb) in chunks.iter_mut().zip(limbs.iter().rev()) {
        *chunk = limb.to_be_bytes();
    }
    Some(digest)
}

/// The value of at most ten characters.
fn number(text: &[u8]) -> Option<u64> {
    let mut value = 0;
    for &character in text {
        value = value * 58 + digit(character)?;
    }
    Some(value)
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

pub(crate) fn encode_u64(mut number: u64) -> Numeral {
    let mut numeral = Numeral { text: [b'1'; 11], start: 11 };
    // Eleven digits hold 2^64, so the index stays above zero as long as there is a rest.
    loop {
        numeral.start -= 1;
        numeral.text[usize::from(numeral.start)] = ALPHABET[(number % 58) as usize];
        number /= 58;
        if number == 0 {
            return numeral;
        }
    }
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
