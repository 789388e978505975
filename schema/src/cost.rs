//! Says what a query costs.

use std::sync::{Arc, OnceLock};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextRequest, NextValidation};
use async_graphql::{Response, ServerError, ValidationResult, value};

use crate::MAX_COMPLEXITY;

/// Adds `extensions.cost` to each answer: the fields that the query may touch, page sizes multiplied in, and how many are allowed.
pub struct Cost;

impl ExtensionFactory for Cost {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(CostOfOne::default())
    }
}

#[derive(Default)]
struct CostOfOne(OnceLock<usize>);

#[async_trait::async_trait]
impl Extension for CostOfOne {
    async fn request(&self, context: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let response = next.run(context).await;
        match self.0.get() {
            Some(cost) => response.extension("cost", value!({"complexity": *cost, "limit": MAX_COMPLEXITY})),
            None => response,
        }
    }

    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(context).await?;
        let _ = self.0.set(result.complexity);
        Ok(result)
    }
}
