//! Save data in the format of the original: messages, stored records, writes and trouble with the store.
#![cfg_attr(fuzzing, no_main)]

nexus_fuzz::target!(nexus_fuzz::original);
