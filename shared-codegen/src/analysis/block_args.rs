//! How many arguments of block parameters a function may have: SSA form of `n` variables that are live where `m` edges meet
//! has up to `n * m` of them, which every pass and the register allocator look at.

/// Most arguments of block parameters that variables or slots are given. Methods that people write stay far below.
pub const MAX_BLOCK_ARGS: u64 = 1 << 18;

/// How many they get in a method with more: the fast register allocator, which such a method gets too, has a place in the frame
/// for each parameter.
const FEW_BLOCK_ARGS: u64 = 1 << 14;

/// Of variables with these numbers of arguments the ones that must do without parameters, ascending: if all together have more
/// than `most`, the most expensive ones, so that the others have few.
pub fn beyond(args: &[u64], most: u64) -> Vec<usize> {
    let mut sum: u64 = args.iter().sum();
    if sum <= most {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..args.len()).collect();
    order.sort_by_key(|&n| core::cmp::Reverse(args[n]));
    let goes = |&n: &usize| {
        let goes = sum > FEW_BLOCK_ARGS.min(most);
        sum -= args[n];
        goes
    };
    let mut gone: Vec<usize> = order.into_iter().take_while(goes).collect();
    gone.sort_unstable();
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_expensive_go_first() {
        let args = [5, 100, 7, 80, 0];
        assert_eq!(beyond(&args, 192), [0usize; 0]);
        assert_eq!(beyond(&args, 191), [1]);
        assert_eq!(beyond(&args, 91), [1, 3]);
        assert_eq!(beyond(&args, 0), [0, 1, 2, 3]);
        let many = [MAX_BLOCK_ARGS, FEW_BLOCK_ARGS / 2, FEW_BLOCK_ARGS / 2, 1];
        assert_eq!(beyond(&many, MAX_BLOCK_ARGS), [0, 1]);
    }
}
