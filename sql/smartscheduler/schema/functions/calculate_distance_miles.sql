create or replace function public.calculate_distance_miles(lat1 numeric, lon1 numeric, lat2 numeric, lon2 numeric)
 returns numeric
 language plpgsql
 immutable parallel safe strict
as $function$
declare
  v_earth_radius_miles constant double precision := 3959;
  v_half_delta_lat double precision := radians(lat2 - lat1) / 2;
  v_half_delta_lon double precision := radians(lon2 - lon1) / 2;
  v_haversine double precision;
begin
  v_haversine := least(
    1,
    sin(v_half_delta_lat) ^ 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(v_half_delta_lon) ^ 2
  );
  return v_earth_radius_miles * 2 * atan2(sqrt(v_haversine), sqrt(1 - v_haversine));
end
$function$;

comment on function public.calculate_distance_miles(numeric, numeric, numeric, numeric) is 'Great-circle distance in miles between two points in degrees (latitude, longitude, latitude, longitude) by the haversine formula, with an earth radius of 3959 miles; unrounded. NULL when a coordinate is NULL.';
