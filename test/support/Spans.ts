import { Effect, Tracer } from "effect"

/** A tracer like one that a host provides, and the names of the spans that it was asked for. */
export const collecting = Effect.map(Effect.tracer, (own) => {
  const names: Array<string> = []
  const tracer = Tracer.make({
    span: (name, ...rest) => {
      names.push(name)
      return own.span(name, ...rest)
    },
    context: (run) => run()
  })
  return { tracer, names }
})
