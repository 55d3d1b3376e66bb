create trigger update_deliveries_updated_at before update on public.deliveries for each row execute function public.update_updated_at_column();

comment on trigger update_deliveries_updated_at on public.deliveries is 'Keeps deliveries.updated_at.';
