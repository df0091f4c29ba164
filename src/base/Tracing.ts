import { Context, DefaultServices, Effect, Tracer } from "effect"

const nobodys = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const isCollected = Effect.map(Effect.tracer, (tracer) => tracer !== nobodys)

/**
 * Makes spans only if a tracer is provided that collects them, because spans that nobody looks at take a fifth of the
 * pipeline's time.
 */
export const tracedIfCollected = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.if(isCollected, { onTrue: () => effect, onFalse: () => Effect.withTracerEnabled(effect, false) })

/** Puts an effect into a span, if a tracer is provided that collects it. */
export const spanIfCollected =
  (name: string, options: Tracer.SpanOptions) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.if(isCollected, {
      onTrue: () => Effect.withSpan(effect, name, options),
      onFalse: () => effect
    })
