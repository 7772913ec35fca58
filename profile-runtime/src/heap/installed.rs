//! The allocator that the feature `counting` installs.
//!
//! The package memprof-counting makes it the global one. That package is below this one, so the linker
//! has to find it by a name. See there why it is a package of its own.

use std::alloc::GlobalAlloc;

use use_memprof_CountingAllocator_new_around_your_allocator_in_place_of_feature_counting as _;

use super::allocator::CountingAllocator;

// SAFETY: the name is memprof's, and it is declared with this type where it is used.
#[unsafe(export_name = "memprof_counting_allocator")]
static INSTALLED: &(dyn GlobalAlloc + Sync) = &CountingAllocator::system();
