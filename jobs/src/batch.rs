//! Batching: requests that arrive while a statement runs are combined into the next one.

use tokio::sync::{mpsc, oneshot};

/// Maximum size of a batch.
const SIZE: usize = 256;

/// Does the same with many inputs at once. Nobody waits for others to come: a batch is what came during the one before.
pub struct Batcher<I, O> {
    sender: mpsc::UnboundedSender<(I, oneshot::Sender<O>)>,
}

impl<I, O> Batcher<I, O>
where
    I: Send + 'static,
    O: Send + 'static,
{
    /// Starts the task that does batches. `work` returns one output for each input, in their order.
    pub fn start<F>(work: impl Fn(Vec<I>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Vec<O>> + Send,
    {
        let (sender, mut receiver) = mpsc::unbounded_channel::<(I, oneshot::Sender<O>)>();
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while receiver.recv_many(&mut batch, SIZE).await > 0 {
                let (inputs, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
                for (answer, output) in answers.into_iter().zip(work(inputs).await) {
                    // Whoever asked may be gone.
                    let _ = answer.send(output);
                }
            }
        });
        Self { sender }
    }

    /// Does it with this input; `None` when the batch gave no output for it.
    pub async fn run(&self, input: I) -> Option<O> {
        let (answer, answered) = oneshot::channel();
        self.sender.send((input, answer)).ok()?;
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn what_comes_during_a_batch_goes_together_and_each_gets_its_own() {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let batcher = Batcher::start(move |inputs: Vec<usize>| {
            let held = Arc::clone(&held);
            async move {
                held.acquire().await.unwrap().forget();
                let size = inputs.len();
                inputs.into_iter().map(|input| (input * 2, size)).collect()
            }
        });
        let all = async { futures::future::join_all((0..10).map(|input| batcher.run(input))).await };
        let open = async {
            // The first is alone or with whatever came before the task woke; the rest waits for it.
            gate.add_permits(10);
        };
        let (outputs, ()) = tokio::join!(all, open);
        let outputs: Vec<_> = outputs.into_iter().map(Option::unwrap).collect();
        assert!(outputs.iter().enumerate().all(|(input, (doubled, _))| *doubled == input * 2), "{outputs:?}");
        assert!(outputs.iter().any(|(_, size)| *size > 1), "{outputs:?}");
    }

    #[tokio::test]
    async fn a_batch_without_outputs_leaves_everybody_to_himself() {
        let batcher = Batcher::<usize, usize>::start(async |_| Vec::new());
        assert_eq!(batcher.run(1).await, None);
    }
}
