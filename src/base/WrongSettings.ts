import type { ConfigError } from "effect"

/** What is wrong with a setting: its name, or its place in a file, and the message. */
export interface WrongSetting {
  readonly name: string
  readonly message: string
}

/** Everything that is wrong, by its settings; each once. */
export const wrongSettings = (error: ConfigError.ConfigError): ReadonlyArray<WrongSetting> => {
  switch (error._op) {
    case "And": {
      const left = wrongSettings(error.left)
      const isNew = ({ message, name }: WrongSetting) =>
        left.every((one) => one.name !== name || one.message !== message)
      return [...left, ...wrongSettings(error.right).filter(isNew)]
    }
    // The left is about the environment. The file was only asked because the environment had nothing.
    case "Or":
      return wrongSettings(error.left)
    default:
      return [{ name: error.path.join("_"), message: error.message }]
  }
}
