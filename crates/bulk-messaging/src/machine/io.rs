//! What the machine is told, and what it asks for.

use bytes::Bytes;
use transport_traits::{ErrorKind, Outgoing, Topic};

use super::{ConfirmId, FlushId, PublishId};
use crate::WireError;

/// What happens to the machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// A publish that [`Output::Publish`] asked for is over.
    Published {
        /// Which one.
        id: PublishId,
        /// How it went.
        result: Result<(), ErrorKind>,
    },
    /// One of the real topics delivered this.
    Received(Bytes),
    /// A real topic may have lost messages.
    TransportGap,
    /// Send everything queued so far without linger, and yield [`Output::Flushed`] when the bus has accepted it or
    /// refused it for good.
    Flush(FlushId),
    /// Nobody waits for this flush any more: it yields nothing, and what is not sent yet waits for company again. A flush that
    /// is over is left as it is.
    Withdraw(FlushId),
    /// Accept nothing more, send what is queued, and yield [`Output::Drained`] when that is done or its time is over.
    Drain,
    /// Somebody subscribed to this inner topic. Counts.
    Watch(Topic),
    /// One subscription of this inner topic ended.
    Unwatch(Topic),
}

/// What the machine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Publish this on the real topic, and report the end as [`Input::Published`].
    Publish {
        /// Names it.
        id: PublishId,
        /// The real topic.
        topic: Topic,
        /// The frame.
        body: Bytes,
    },
    /// A message for every subscription of this inner topic.
    Deliver {
        /// The inner topic.
        topic: Topic,
        /// The message.
        body: Bytes,
    },
    /// Every subscription may have missed messages here.
    Gap,
    /// What became of messages that somebody waits for.
    Confirmed {
        /// Who waits.
        ids: Vec<ConfirmId>,
        /// The outcome.
        result: Result<(), ErrorKind>,
    },
    /// The bus refused a frame for good.
    Refused {
        /// How many messages were in it.
        messages: usize,
        /// Why.
        kind: ErrorKind,
    },
    /// A frame was received that could not be read. It was dropped.
    Malformed(WireError),
    /// A flush is over.
    Flushed(FlushId),
    /// The drain is over. These messages were not accepted by the bus, in the order of their publishing; those whose
    /// publish was under way may have been sent nonetheless.
    Drained(Vec<Outgoing>),
}

impl Output {
    /// Nothing if nobody waits.
    pub(super) fn confirmed(ids: Vec<ConfirmId>, result: Result<(), ErrorKind>) -> Option<Self> {
        (!ids.is_empty()).then_some(Self::Confirmed { ids, result })
    }
}
