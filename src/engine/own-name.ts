// Lets a user's module find this package by its name, wherever the module lies.

import * as modules from 'node:module'

/** Whether the hook below is in place. */
let isResolving = false

/** A module that lies where `sluice` is not installed finds it all the same: this copy of it. */
export function resolveOwnName(): void {
  if (isResolving) return
  isResolving = true
  modules.registerHooks({
    resolve: (specifier, context, next) => {
      if (!/^sluice(?:\/|$)/.test(specifier)) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        // Not installed where the module lies: a package finds its own doors by its name.
        return next(specifier, { ...context, parentURL: import.meta.url })
      }
    },
  })
}
