// A program that runs what others start, until it is told to end. Arguments: url, namespace, options of connect() as JSON.
import { connect } from '@skein/core'

const [url, namespace, options = '{}'] = process.argv.slice(2)
const mp = await connect(url, { namespace, serve: true, ...JSON.parse(options) })
process.on('message', () => void mp.close().then(() => process.disconnect()))
process.once('disconnect', () => process.exit())
process.send?.('ready')
