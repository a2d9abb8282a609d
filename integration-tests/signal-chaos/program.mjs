/** A victim as a program of its own. */
import process from 'node:process'
import { connect } from '@skein/core'
import { victim } from './victim.mjs'

const [, , url, namespace, sessionTtl, role, name, path, history] = process.argv
// Several are masters, with commas between.
await connect(url.includes(',') ? url.split(',') : url, { namespace, sessionTtl: Number(sessionTtl) })
await victim(role, name, path, history)
