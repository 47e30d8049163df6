// The text of a file of the hub, as far as a page can hold it.

const kMostBytes = 100_000_000; // unpacked

/// `cut` says that the file goes on; its last line may be broken then and is left out.
export async function readText(address: string, name: string, most = kMostBytes): Promise<{ text: string; cut: boolean }> {
  const response = await fetch(address, { credentials: 'same-origin' });
  if (!response.ok || !response.body) throw new Error(`the hub answered with status ${response.status}`);
  const bytes = name.toLowerCase().endsWith('.gz') ? response.body.pipeThrough(new DecompressionStream('gzip')) : response.body;
  const reader = bytes.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), cut: false };
    size += value.byteLength;
    text += decoder.decode(value, { stream: true });
    if (size >= most) break;
  }
  await reader.cancel();
  return { text: text.slice(0, text.lastIndexOf('\n') + 1), cut: true };
}
