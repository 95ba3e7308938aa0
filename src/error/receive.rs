//! Why no message was received: a type for each way to receive, with the failures of that way only.

use std::{error, fmt};

use super::Error;

macro_rules! receive_errors {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $error:ident,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            #[non_exhaustive]
            pub enum $name { $($(#[$variant_doc])* $variant,)+ }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    Error::from(*self).fmt(f)
                }
            }

            impl error::Error for $name {}

            impl From<$name> for Error {
                fn from(error: $name) -> Self {
                    match error { $($name::$variant => Error::$error,)+ }
                }
            }
        )+
    };
}

receive_errors! {
    /// Why `recv` gave no message.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::error::RecvError;
    ///
    /// sock.close()?;
    /// assert!(matches!(sock.recv(), Err(RecvError::Closed)));
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    RecvError {
        /// The socket is closed and everything was handed out.
        Closed = Closed,
        /// Called inside a handler, which the message would have to pass first.
        WouldDeadlock = WouldDeadlock,
        /// Called in a process that was forked from the one that bound the socket.
        Forked = Forked,
    }

    /// Why `recv_timeout` gave no message.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::error::RecvTimeoutError;
    /// use std::time::Duration;
    ///
    /// let received = sock.recv_timeout(Duration::from_millis(1));
    /// assert!(matches!(received, Err(RecvTimeoutError::Timeout)));
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    RecvTimeoutError {
        /// None came in time.
        Timeout = TimedOut,
        /// The socket is closed and everything was handed out.
        Closed = Closed,
        /// Called inside a handler, which the message would have to pass first.
        WouldDeadlock = WouldDeadlock,
        /// Called in a process that was forked from the one that bound the socket.
        Forked = Forked,
    }

    /// Why `try_recv` gave no message.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::error::TryRecvError;
    ///
    /// assert!(matches!(sock.try_recv(), Err(TryRecvError::Empty)));
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    TryRecvError {
        /// None is waiting.
        Empty = TimedOut,
        /// The socket is closed and everything was handed out.
        Closed = Closed,
        /// Called in a process that was forked from the one that bound the socket.
        Forked = Forked,
    }
}
