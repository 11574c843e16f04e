// Lets a user's module find this package by its name, wherever the module is.

import * as modules from 'node:module'

/** Whether the hook below is in place. */
let isResolving = false

/** A module in a place where `sluice` is not installed finds this copy of it. */
export function resolveOwnName(): void {
  if (isResolving) return
  isResolving = true
  modules.registerHooks({
    resolve: (specifier, context, next) => {
      if (!/^sluice(?:\/|$)/.test(specifier)) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        // Not installed where the module is: a package can import its own entry points by name.
        return next(specifier, { ...context, parentURL: import.meta.url })
      }
    },
  })
}
