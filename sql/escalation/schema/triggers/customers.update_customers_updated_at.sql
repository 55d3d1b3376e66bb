create trigger update_customers_updated_at before update on public.customers for each row execute function public.update_updated_at_column();

comment on trigger update_customers_updated_at on public.customers is 'Keeps updated_at.';
