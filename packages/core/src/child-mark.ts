/** Imported before anything else by the entry of a child: what is imported afterwards knows that it is not in the main program. */
Reflect.set(process, Symbol.for('skein.child'), true)
