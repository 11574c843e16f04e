// Lets a user's module find this package by its name, wherever the module lies.

import * as modules from 'node:module'

const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const DOORS: Readonly<Record<string, string>> = {
  sluice: `../index${EXTENSION}`,
  'sluice/stage': `../stage/index${EXTENSION}`,
  'sluice/testing': `../testing/index${EXTENSION}`,
}
/** Whether the hook below is in place. */
let isResolving = false

/** A module that lies where `sluice` is not installed finds it all the same: this copy of it. */
export function resolveOwnName(): void {
  if (isResolving) return
  isResolving = true
  modules.registerHooks({
    resolve: (specifier, context, next) => {
      const door = Object.hasOwn(DOORS, specifier) ? DOORS[specifier] : undefined
      if (door === undefined) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        // Not installed where the module lies: its own way of finding it has failed, ours cannot.
        return { url: new URL(door, import.meta.url).href, shortCircuit: true }
      }
    },
  })
}
