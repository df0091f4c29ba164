import { Effect, Tracer } from "effect"

/** A tracer like one that a host provides, the names of the spans that it was asked for, and the spans. */
export const collecting = Effect.map(Effect.tracer, (own) => {
  const names: Array<string> = []
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (name, ...rest) => {
      names.push(name)
      const span = own.span(name, ...rest)
      spans.push(span)
      return span
    },
    context: (run) => run()
  })
  return { tracer, names, spans }
})
