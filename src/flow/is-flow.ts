// Tells flows from anything else.

import type { Flow } from './flow.ts'
import type { PlanNode } from './plan.ts'

/** Whether a value is a flow: by its shape, so that two copies of Sluice understand each other. */
export function isFlow(value: unknown): value is Flow<unknown, unknown> {
  if (typeof value !== 'object' || value === null || !('node' in value)) return false
  const node = value.node as Partial<PlanNode> | null
  return typeof node === 'object' && node !== null && 'operator' in node && Array.isArray(node.inputs)
}
