/** The local adapter passes what every adapter passes. */
import { conformance } from '@skein/conformance'
import { connect } from '@skein/core'

conformance('local', () => connect('local:'), { deathKnownWithin: 1_000 })
