//! Sizes that Cloud Run sells (cloud.google.com/run/docs/configuring/services/cpu and .../memory-limits).

/// Processors and the memory that goes with them, MiB: lowest and highest.
const SIZES: [(u32, u64, u64); 5] = [(1, 512, 4096), (2, 512, 8192), (4, 2048, 16_384), (6, 4096, 24_576), (8, 4096, 32_768)];

/// Size of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Processors.
    pub cpu: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
}

/// The smallest size with at least so much of both; the largest where there is none.
pub(crate) fn size(cpu: f64, memory_mib: u64) -> Size {
    let fits = SIZES.iter().find(|(count, _, most)| f64::from(*count) >= cpu && *most >= memory_mib);
    let (count, least, most) = fits.copied().unwrap_or(SIZES[SIZES.len() - 1]);
    Size { cpu: count, memory_mib: memory_mib.clamp(least, most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_go_up_to_what_is_sold() {
        let table = [
            (0.5, 256, 1, 512),
            (1.0, 1024, 1, 1024),
            (1.0, 5000, 2, 5000),
            (3.0, 512, 4, 2048),
            (8.0, 32_768, 8, 32_768),
            (64.0, 1 << 20, 8, 32_768),
        ];
        for (cpu, memory, expected_cpu, expected) in table {
            assert_eq!(size(cpu, memory), Size { cpu: expected_cpu, memory_mib: expected }, "{cpu} {memory}");
        }
    }
}
