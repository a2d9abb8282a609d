/** What is not there yet says so, before anything is connected. */
import { connect, NotSupportedError } from '@skein/core'
import { expect, it } from 'vitest'

it.each([true, false])('serve: %s is refused with what to do instead', async (serve) => {
  const refused = connect('redis://127.0.0.1:1', { serve })
  await expect(refused).rejects.toThrow(NotSupportedError)
  await expect(refused).rejects.toThrow(`serve: ${serve} is not there yet; leave it out`)
})
