//! Save data in our format: messages, stored records, writes and trouble with the store.
#![cfg_attr(fuzzing, no_main)]

nexus_fuzz::target!(nexus_fuzz::save_data);
