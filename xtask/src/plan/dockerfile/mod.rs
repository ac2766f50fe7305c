//! An existing Dockerfile in the plan: its stages spliced into the Dockerfile of the image, and what the image takes of it.
//!
//! | file | does |
//! |---|---|
//! | `splice.rs` | stages as they stand, with the names of stages, images and context paths replaced at their places |
//! | `take.rs` | what the image takes: copies, installs, or all of the target stage |
//! | `folders.rs` | which folder of the image a copy goes into, and by way of which folder of the component's stage |
//! | `replay.rs` | `take = "stage"`: what runs on the base of the image |
//! | `packages.rs`, `distribution.rs` | `RUN`s that install packages only; which distribution an image is of |
//! | `context.rs` | the files of the build context that travel |
//! | `newer.rs` | what not every engine can read |
