// Asks for the token of the dashboard.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Connection } from './connection.ts'

export function SignIn({ connection }: { readonly connection: Connection }): JSX.Element {
  const [token, setToken] = useState('')
  const [trouble, setTrouble] = useState('')
  const signIn = async (event: Event): Promise<void> => {
    event.preventDefault()
    try {
      await connection.signIn(token.trim())
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <form class="sign-in" onSubmit={(event) => void signIn(event)}>
      <label for="token">Token of this dashboard</label>
      <input
        id="token"
        type="password"
        autocomplete="current-password"
        required
        value={token}
        onInput={(event) => setToken(event.currentTarget.value)}
      />
      <button type="submit" class="main">
        Sign in
      </button>
      {trouble !== '' && (
        <p class="error" role="alert">
          {trouble}
        </p>
      )}
    </form>
  )
}
