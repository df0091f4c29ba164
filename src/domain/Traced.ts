import { Context, DefaultServices, Effect, Tracer } from "effect"

const nobodys = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** With spans where a tracer is provided that collects them; those that nobody looks at take a fifth of the pipeline's time. */
export const tracedIfCollected = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.tracer, (tracer) => tracer === nobodys ? Effect.withTracerEnabled(effect, false) : effect)
