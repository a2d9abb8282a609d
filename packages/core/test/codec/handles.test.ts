import { describe, expect, it } from 'vitest'
import { handleRef } from '../../src/contract/handle.ts'
import type { Handle, HandleRef } from '../../src/contract/handle.ts'
import { ScopeError, StateError } from '../../src/errors.ts'
import { wires } from './support/wires.ts'

for (const wire of wires) {
  describe(`handles on the ${wire.name} wire`, () => {
    const ref: HandleRef = {
      kind: 'pipe',
      name: '~7',
      namespace: 'skein',
      scope: 'local',
      shape: { end: 1, duplex: true },
    }
    class Wrapped {
      readonly name = '~7'
      readonly ref = ref
      readonly [handleRef] = ref
      readonly secret = (): void => this.destroyed()
      destroyed(): void {
        throw new Error('not called')
      }
      async destroy(): Promise<void> {}
    }
    const handle: Handle = new Wrapped()

    it('cross as references and are attached once each', () => {
      const refs: HandleRef[] = []
      const attached = new Wrapped()
      const received = wire.cross({ a: handle, b: [handle], n: 1 }, (given) => {
        refs.push(given)
        return attached
      }) as { a: unknown; b: unknown[]; n: number }
      expect(refs).toEqual([ref])
      expect(received.a).toBe(attached)
      expect(received.b[0]).toBe(attached)
      expect(received.n).toBe(1)
    })

    it('may be plain objects with the symbol', () => {
      const seen: HandleRef[] = []
      const plain = { extra: () => 1, [handleRef]: { kind: 'lock', name: 'a', namespace: 'n', scope: 's' } }
      wire.cross(plain, (given) => (seen.push(given), handle))
      expect(seen).toEqual([plain[handleRef]])
    })

    it('pass on what attach throws', () => {
      const scope = new ScopeError('belongs elsewhere')
      expect(() =>
        wire.cross([handle], () => {
          throw scope
        }),
      ).toThrow(scope)
    })

    it('pass on why one cannot be passed', () => {
      const reason = new StateError('not started')
      const early = {
        get [handleRef](): never {
          throw reason
        },
      }
      expect(() => wire.encode([early])).toThrow(reason)
    })

    it('without a proper reference are refused', () => {
      expect(() => wire.encode([{ [handleRef]: { kind: 'pipe' } }], 'args')).toThrow(
        'args[0] is a handle without kind, name, namespace and scope and cannot cross processes',
      )
    })
  })
}
