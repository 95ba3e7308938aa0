//! What can be sent: one packet, or several.

use bytes::Bytes;

use crate::packet::Packet;

/// What `send` and its siblings take: one packet, or several.
///
/// One packet is text or bytes. Borrowed ones are copied: `&str`, `&[u8]`, `&String`, ... Owned ones
/// are not: `String`, `Vec<u8>`, `Bytes`, [`Packet`]. Neither is `&Packet` or `&Bytes`.
///
/// An array, a slice or a vector of these has one packet per item; an iterator is collected into a
/// vector first. A tuple of two to twelve packets may mix types.
///
/// The trait is sealed: a type of your own becomes a [`Packet`] by `From`, and lists of it can be
/// sent as well.
///
/// ```
/// use rs2p::Packets;
///
/// fn count(packets: impl Packets) -> usize {
///     packets.into_packets().len()
/// }
///
/// assert_eq!(count("one"), 1);
/// assert_eq!(count(b"one"), 1);
/// assert_eq!(count(vec![0xff; 1000]), 1);
/// assert_eq!(count(["this is", "a test"]), 2);
/// assert_eq!(count((0..3).map(|n| n.to_string()).collect::<Vec<_>>()), 3);
/// assert_eq!(count(("job", 7.to_string(), vec![0, 255])), 3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as packets",
    label = "expected one byte string or text, or an array, slice, vector or tuple of them",
    note = "packets of different types go into a tuple: `(\"job\", number.to_string())`",
    note = "an iterator of packets is collected first: `.collect::<Vec<_>>()`"
)]
pub trait Packets: Sized {
    /// Adds the packets to a list, in order.
    #[doc(hidden)]
    fn add_to(self, list: &mut Vec<Packet>, seal: Seal);

    /// Returns the bytes if they are one packet.
    #[doc(hidden)]
    fn as_one(&self, _: Seal) -> Option<&[u8]> {
        None
    }

    /// Returns the packets, in order.
    fn into_packets(self) -> Vec<Packet> {
        let mut list = Vec::new();
        self.add_to(&mut list, Seal);
        list
    }
}

/// Cannot be named outside this crate, so no other type can be sent.
#[derive(Debug)]
pub struct Seal;

macro_rules! one {
    ($($type:ty),*) => {$(
        impl Packets for $type {
            fn add_to(self, list: &mut Vec<Packet>, _: Seal) {
                list.push(self.into());
            }

            fn as_one(&self, _: Seal) -> Option<&[u8]> {
                Some(self.as_ref())
            }
        }
    )*};
}

one!(Packet, &Packet, Bytes, &Bytes, Vec<u8>, &Vec<u8>, Box<[u8]>, &[u8], String, &String, &str);

impl<const N: usize> Packets for [u8; N] {
    fn add_to(self, list: &mut Vec<Packet>, _: Seal) {
        list.push(self.into());
    }

    fn as_one(&self, _: Seal) -> Option<&[u8]> {
        Some(self.as_ref())
    }
}

impl<const N: usize> Packets for &[u8; N] {
    fn add_to(self, list: &mut Vec<Packet>, _: Seal) {
        list.push(self.into());
    }

    fn as_one(&self, _: Seal) -> Option<&[u8]> {
        Some(self.as_ref())
    }
}

impl<T: Into<Packet>> Packets for Vec<T> {
    fn add_to(self, list: &mut Vec<Packet>, _: Seal) {
        list.extend(self.into_iter().map(Into::into));
    }
}

impl<T: Into<Packet>, const N: usize> Packets for [T; N] {
    fn add_to(self, list: &mut Vec<Packet>, _: Seal) {
        list.extend(self.into_iter().map(Into::into));
    }
}

impl<T: Clone + Into<Packet>> Packets for &[T] {
    fn add_to(self, list: &mut Vec<Packet>, _: Seal) {
        list.extend(self.iter().cloned().map(Into::into));
    }
}

impl<T: Clone + Into<Packet>> Packets for &Vec<T> {
    fn add_to(self, list: &mut Vec<Packet>, seal: Seal) {
        self[..].add_to(list, seal);
    }
}

impl<T: Clone + Into<Packet>, const N: usize> Packets for &[T; N] {
    fn add_to(self, list: &mut Vec<Packet>, seal: Seal) {
        self[..].add_to(list, seal);
    }
}

macro_rules! tuples {
    ($(($($packet:ident),*))*) => {$(
        impl<$($packet: Into<Packet>),*> Packets for ($($packet,)*) {
            #[allow(non_snake_case)]
            fn add_to(self, list: &mut Vec<Packet>, _: Seal) {
                let ($($packet,)*) = self;
                list.extend([$($packet.into()),*]);
            }
        }
    )*};
}

tuples! {
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
    (A, B, C, D, E, F, G, H, I)
    (A, B, C, D, E, F, G, H, I, J)
    (A, B, C, D, E, F, G, H, I, J, K)
    (A, B, C, D, E, F, G, H, I, J, K, L)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn where_is(packets: impl Packets) -> *const u8 {
        packets.into_packets()[0].as_ptr()
    }

    #[test]
    fn what_owns_its_bytes_is_not_copied() {
        let (vector, text) = (vec![7; 100], "seven".repeat(20));
        let bytes = Bytes::from(vec![8; 100]);
        let packet = Packet::from(&bytes);
        let (at_vector, at_text, at_bytes) = (vector.as_ptr(), text.as_ptr(), bytes.as_ptr());
        assert_eq!(where_is(vector), at_vector);
        assert_eq!(where_is(text), at_text);
        for at in [where_is(&bytes), where_is(&packet), where_is(vec![bytes.clone()])] {
            assert_eq!(at, at_bytes);
        }
        assert_eq!(where_is(std::slice::from_ref(&packet)), at_bytes);
        assert_eq!(where_is((packet, "and text")), at_bytes);
        assert_eq!(where_is(bytes), at_bytes);
    }
}
