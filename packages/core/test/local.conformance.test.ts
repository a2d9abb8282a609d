/** The local adapter passes what every adapter passes. */
import { conformance } from '@skein/conformance'
import { connect } from '@skein/core'

conformance('local', (options) => connect('local:', options), { deathKnownWithin: 1_000 })
