/** Whether a Content-Type says that the body is JSON, with or without parameters like the charset. */
export const isJsonType = (contentType: string): boolean => /^application\/json\s*(;|$)/i.test(contentType)
