create trigger update_equipment_types_updated_at before update on public.equipment_types for each row execute function public.touch_updated_at();

comment on trigger update_equipment_types_updated_at on public.equipment_types is 'Keeps updated_at; the table has no version.';
