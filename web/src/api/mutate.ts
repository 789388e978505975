import type { AnyVariables, OperationResult } from 'urql';

import { sentence } from '../parts/Result';
import { told } from './client';

/** What went wrong with a mutation, as a sentence; `undefined` when it was done. */
export function refusal(result: OperationResult<unknown, AnyVariables>): string | undefined {
  if (result.error !== undefined) return sentence(told(result.error).message);
  for (const payload of Object.values((result.data ?? {}) as Record<string, unknown>)) {
    const errors = (payload as { userErrors?: { message: string }[] } | null)?.userErrors ?? [];
    const first = errors[0];
    if (first !== undefined) return sentence(first.message);
  }
  return undefined;
}
