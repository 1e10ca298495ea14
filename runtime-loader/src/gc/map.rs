//! Where the instances of a type hold references: what a method table's `GC_MAP` points to.

/// `count` consecutive references starting at byte `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefRun {
    /// Offset of the first reference: from the object for classes, from the element for arrays of structs.
    pub offset: u32,
    /// Number of references.
    pub count: u32,
}

/// How the references of an object are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// The runs are relative to the object.
    Object,
    /// Every element is a reference.
    RefArray,
    /// The runs are relative to each element.
    StructArray,
    /// Elements are {key, value} pairs that live by the rules of [`super::ephemerons`].
    EphemeronArray,
}

/// GC description of a type. Types without references need none, except multi-dimensional arrays,
/// which need one for their rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcMap {
    /// Interpretation of `runs`.
    pub kind: MapKind,
    /// Number of bounds pairs behind the elements; 0 except for multi-dimensional arrays.
    pub rank: u32,
    /// References, ascending.
    pub runs: Box<[RefRun]>,
}

impl GcMap {
    /// For a class (or boxed value type) with references at these byte offsets from the object.
    pub fn object(offsets: &[u32]) -> GcMap {
        GcMap {
            kind: MapKind::Object,
            rank: 0,
            runs: runs(offsets),
        }
    }

    /// For an array of references; `rank` is 0 for vectors.
    pub fn ref_array(rank: u32) -> GcMap {
        GcMap {
            kind: MapKind::RefArray,
            rank,
            runs: Box::default(),
        }
    }

    /// For an array of structs with references at these byte offsets from the element's start. No offsets: an array
    /// without references, of which only the rank matters.
    pub fn struct_array(offsets: &[u32], rank: u32) -> GcMap {
        GcMap {
            kind: MapKind::StructArray,
            rank,
            runs: runs(offsets),
        }
    }

    /// For `System.Runtime.CompilerServices.Ephemeron[]`.
    pub fn ephemeron_array() -> GcMap {
        GcMap {
            kind: MapKind::EphemeronArray,
            rank: 0,
            runs: Box::default(),
        }
    }
}

fn runs(offsets: &[u32]) -> Box<[RefRun]> {
    let mut sorted = offsets.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut runs: Vec<RefRun> = Vec::new();
    for offset in sorted {
        match runs.last_mut() {
            Some(run) if run.offset + 8 * run.count == offset => run.count += 1,
            _ => runs.push(RefRun { offset, count: 1 }),
        }
    }
    runs.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_form_runs() {
        let map = GcMap::object(&[40, 16, 24, 32, 64]);
        assert_eq!(
            *map.runs,
            [
                RefRun {
                    offset: 16,
                    count: 4
                },
                RefRun {
                    offset: 64,
                    count: 1
                }
            ]
        );
        assert!(GcMap::object(&[]).runs.is_empty());
    }
}
