/** What a client of the SDK keeps from one step to the next: the members of a provider that do. */
export function keeping(kept: Record<string, unknown>) {
  return {
    clientInformation: () => kept['client'],
    saveClientInformation: (given: unknown) => void (kept['client'] = given),
    tokens: () => kept['tokens'],
    saveTokens: (given: unknown) => void (kept['tokens'] = given),
    codeVerifier: () => kept['verifier'],
    saveCodeVerifier: (given: unknown) => void (kept['verifier'] = given),
    discoveryState: () => kept['discovery'],
    saveDiscoveryState: (given: unknown) => void (kept['discovery'] = given)
  }
}
