/** Where something is: cloud and region, and that it is simulated. Nothing for one's own machines. */
export function Place({ place }: { place: { cloud: string; region: string; simulated: boolean } | null | undefined }) {
  if (place === null || place === undefined) return null;
  return (
    <span className="row">
      <span className="badge">{place.cloud} {place.region}</span>
      {place.simulated && <span className="badge simulated">SIMULATED</span>}
    </span>
  );
}
