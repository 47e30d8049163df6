// What inputs and options have in common.

/// The id of the element that takes the focus for a mistake at `pointer`.
export function fieldId(pointer: string): string {
  return `field${pointer.replaceAll('/', '-')}`;
}

export function Mistakes({ id, messages }: { id: string; messages: string[] }) {
  if (messages.length === 0) return null;
  return (
    <div className="mistake" id={id}>
      {messages.map((message, index) => (
        <p key={index}>{message.charAt(0).toUpperCase() + message.slice(1)}</p>
      ))}
    </div>
  );
}
