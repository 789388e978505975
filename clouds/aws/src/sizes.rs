//! Sizes that Fargate sells ("Amazon ECS task definition parameters for Fargate", task size).

/// Processor units (1024 are one processor), and the memory that goes with them, MiB: lowest, highest, step above the lowest.
const SIZES: [(u32, u64, u64, u64); 7] = [
    (256, 512, 2048, 1024),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
];

/// Size of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Processor units: 1024 are one processor.
    pub units: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
}

/// The smallest size with at least so many processors and so much memory, in MiB; the largest where there is none.
pub(crate) fn size(cpu: f64, memory_mib: u64) -> Size {
    let fits = SIZES.iter().find(|(units, _, most, _)| f64::from(*units) >= cpu * 1024.0 && *most >= memory_mib);
    let (units, least, most, step) = fits.copied().unwrap_or(SIZES[SIZES.len() - 1]);
    // Memory goes in steps from a whole multiple of them; the smallest size alone has half a gibibyte, too.
    let memory_mib = if memory_mib <= least { least } else { memory_mib.div_ceil(step).saturating_mul(step).min(most) };
    Size { units, memory_mib }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_go_up_to_what_is_sold() {
        let table = [
            (0.25, 256, 256, 512),
            (0.1, 600, 256, 1024),
            (0.25, 2048, 256, 2048),
            (0.25, 2049, 512, 3072),
            (0.5, 512, 512, 1024),
            (1.0, 512, 1024, 2048),
            (3.0, 512, 4096, 8192),
            (8.0, 17_000, 8192, 20_480),
            (4.0, 30_721, 8192, 32_768),
            (64.0, u64::MAX, 16_384, 122_880),
        ];
        for (cpu, memory, units, memory_mib) in table {
            assert_eq!(size(cpu, memory), Size { units, memory_mib }, "{cpu} {memory}");
        }
    }
}
